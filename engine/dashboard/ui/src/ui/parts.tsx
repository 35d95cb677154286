import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Problem } from "../lib/api";
import { setTheme, theme, type Theme } from "../lib/theme";
import { Icon, type IconName } from "./icons";

type ButtonRest = Pick<JSX.IntrinsicElements["button"], "onClick" | "disabled" | "type" | "title" | "aria-label" | "autofocus">;

export function Button({ kind = "", icon, busy, children, ...rest }: { kind?: string; icon?: IconName; busy?: boolean; children: ComponentChildren } & ButtonRest) {
  return (
    <button type="button" class={"button " + kind} {...rest} disabled={busy || !!rest.disabled} aria-busy={busy}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

// Field is a labelled control: what it is for below it, what is wrong with it in its place.
export function Field({ label, hint, fault, optional, children }: { label: string; hint?: ComponentChildren; fault?: string; optional?: boolean; children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren }) {
  const id = useId();
  return (
    <div class={fault ? "field faulty" : "field"}>
      <label for={id}>{label}{optional && <span class="optional">optional</span>}</label>
      {children({ id, "aria-describedby": id + "-hint", "aria-invalid": !!fault })}
      <div class="hint" id={id + "-hint"} aria-live="polite">
        {fault ? <><Icon name="alert" />{fault}</> : hint}
      </div>
    </div>
  );
}

export function FaultNote({ error }: { error?: Problem }) {
  if (!error) return null;
  return (
    <div class="note bad" role="alert">
      <Icon name="alert" />
      <div>
        {error.message}
        {error.faults.map((f) => <div key={f.location}><code>{f.location}</code> {f.message}</div>)}
      </div>
    </div>
  );
}

export function Note({ tone = "info", icon = "alert", children }: { tone?: string; icon?: IconName; children: ComponentChildren }) {
  return <div class={"note " + tone}><Icon name={icon} /><div>{children}</div></div>;
}

// Dialog is modal: the browser keeps the focus in it, and Escape closes it.
export function Dialog({ title, close, children, wide }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = ref.current!;
    d.showModal();
    return () => d.close();
  }, []);
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); close(); }} onClick={(e) => e.target === ref.current && close()}>
      <div class="dialog">
        <header><h2 id={id}>{title}</h2><button type="button" class="iconbutton" aria-label="Close" onClick={close}><Icon name="cross" /></button></header>
        {children}
      </div>
    </dialog>
  );
}

export interface Tab {
  name: string;
  label: string;
  href: string;
  icon?: IconName;
}

export function Tabs({ tabs, at, label }: { tabs: Tab[]; at: string; label: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((t) => (
        <a key={t.name} href={t.href} aria-current={t.name === at ? "page" : undefined}>
          {t.icon && <Icon name={t.icon} />}{t.label}
        </a>
      ))}
    </nav>
  );
}

// Segments choose one of few.
export function Segments<T extends string>({ label, options, at, choose }: { label: string; options: [T, string][]; at: T; choose: (v: T) => void }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([v, text]) => <button type="button" key={v} aria-pressed={v === at} onClick={() => choose(v)}>{text}</button>)}
    </div>
  );
}

export function Select({ label, value, options, change }: { label: string; value: string; options: [string, string][]; change: (v: string) => void }) {
  return (
    <label class="select">
      <span class="sr">{label}</span>
      <select value={value} onChange={(e) => change(e.currentTarget.value)} aria-label={label}>
        {options.map(([v, text]) => <option key={v} value={v} selected={v === value}>{text}</option>)}
      </select>
      <Icon name="down" />
    </label>
  );
}

export function Back({ href, children }: { href: string; children: ComponentChildren }) {
  return <a class="back" href={href}><Icon name="left" />{children}</a>;
}

export function ThemeSwitch() {
  const next: Record<Theme, [Theme, IconName, string]> = {
    system: ["light", "screen", "as the system has it"], light: ["dark", "sun", "light"], dark: ["system", "moon", "dark"],
  };
  const [to, icon, word] = next[theme.value];
  const label = `Colours: ${word}. Change to ${next[to][2]}`;
  return <button type="button" class="iconbutton" aria-label={label} title={label} onClick={() => setTheme(to)}><Icon name={icon} /></button>;
}

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}
