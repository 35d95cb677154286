import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { signedOut, useKey } from "../lib/api";
import { href, place, titled } from "../lib/route";
import { applyTheme } from "../lib/theme";
import type { WhoAmI } from "../lib/types";
import { Icon, Logo, type IconName } from "../ui/icons";
import { ThemeSwitch } from "../ui/parts";
import { Empty } from "../ui/states";
import { Keys } from "./keys";
import { Overview } from "./overview";
import { SignIn } from "./signin";
import { Tail } from "./tail";
import { TenantScreens } from "./tenant";
import { Tenants } from "./tenants";

interface Screen {
  name: string;
  label: string;
  icon: IconName;
  for: (w: WhoAmI) => boolean;
}

const everybody = (w: WhoAmI) => !w.tenant;
const screens: Screen[] = [
  { name: "overview", label: "Overview", icon: "gauge", for: everybody },
  { name: "tail", label: "Live tail", icon: "wave", for: () => true },
  { name: "tenants", label: "Tenants", icon: "users", for: () => true },
  { name: "keys", label: "API keys", icon: "key", for: (w) => w.scope === "admin" },
];

const titles = { overview: "Overview", tail: "Live tail", tenants: "Tenants", keys: "API keys", endpoints: "Endpoints", events: "Events", logs: "Logs", types: "Event types", deliveries: "Delivery" };

function Dashboard() {
  const [who, setWho] = useState<WhoAmI>();
  useEffect(() => void (document.title = titled(titles, "hookline")), [place.value.path.join("/")]);
  if (!who || signedOut.value) return <SignIn again={!!who} enter={setWho} />;
  const mine = screens.filter((s) => s.for(who));
  const path = place.value.path.length ? place.value.path : [mine[0]!.name];
  const leave = () => {
    useKey("");
    setWho(undefined);
  };
  return (
    <div class="sideframe">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <header class="sidebar">
        <a class="brand" href="#/"><Logo /><span>hookline</span></a>
        <nav aria-label="Main">
          {mine.map((s) => <a key={s.name} href={href([s.name])} aria-current={path[0] === s.name ? "page" : undefined}><Icon name={s.icon} />{s.label}</a>)}
        </nav>
        <div class="foot"><span class="grow clip" title={who.id}>{who.scope} key</span><ThemeSwitch /><button type="button" class="iconbutton" aria-label="Sign out" title="Sign out" onClick={leave}><Icon name="out" /></button></div>
      </header>
      <main class="content" id="main" tabIndex={-1}><At path={path} who={who} /></main>
    </div>
  );
}

function At({ path, who }: { path: string[]; who: WhoAmI }) {
  const [first, second, ...rest] = path;
  if (first === "overview" && !who.tenant) return <Overview />;
  if (first === "tail") return <Tail tenant={who.tenant} />;
  if (first === "tenants" && (second || who.tenant)) return <TenantScreens key={second ?? who.tenant} id={second ?? who.tenant!} path={rest} who={who} />;
  if (first === "tenants") return <Tenants admin={who.scope === "admin"} />;
  if (first === "keys" && who.scope === "admin") return <Keys />;
  return <Empty icon="search" title="There is nothing here" action={<a class="button" href="#/">To the start</a>}>The address names no screen.</Empty>;
}

applyTheme();
render(<Dashboard />, document.getElementById("app")!);
