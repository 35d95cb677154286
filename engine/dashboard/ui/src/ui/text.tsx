import { useState } from "preact/hooks";
import { copy } from "../lib/copy";
import { pieces } from "../lib/text";
import { exact, now, relative } from "../lib/time";
import { Icon } from "./icons";

// Text shows text of others in one line or in a block. Direction is isolated: it cannot reorder what stands around it.
export function Text({ of }: { of: string }) {
  return (
    <bdi>
      {pieces(of).map((p) =>
        typeof p === "string" ? p : (
          <span class="unseen" title={p.code + " is invisible or turns the direction of writing; shown here by its name"}>
            {p.name}
          </span>
        ),
      )}
    </bdi>
  );
}

// Id is an identifier: in full for copying, its end for reading, which is what differs.
export function Id({ of, short }: { of: string; short?: boolean }) {
  const text = short && of.length > 18 ? (/^[a-z]+_/.exec(of)?.[0] ?? "") + "…" + of.slice(-12) : of;
  return (
    <code class="id" title={of}>
      <Text of={text} />
    </code>
  );
}

export function Time({ at, plain }: { at: string; plain?: boolean }) {
  return (
    <time dateTime={at} title={exact(at)}>
      {plain ? exact(at) : relative(Date.parse(at), now.value)}
    </time>
  );
}

export function Copy({ text, label = "Copy", icon = true, quiet }: { text: string | (() => string); label?: string; icon?: boolean; quiet?: boolean }) {
  const [said, say] = useState("");
  const act = async () => {
    const ok = await copy(typeof text === "string" ? text : text());
    say(ok ? "Copied" : "Copying was refused");
    setTimeout(() => say(""), 1600);
  };
  return (
    <button type="button" class={quiet ? "button quiet small" : "button small"} onClick={act} aria-live="polite">
      {icon && <Icon name={said === "Copied" ? "check" : "copy"} />}
      {said || label}
    </button>
  );
}

// CopyIcon is Copy where there is no room for a word.
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button" class="iconbutton" aria-label={done ? "Copied" : label} title={done ? "Copied" : label}
      onClick={async () => {
        if (await copy(text)) {
          setDone(true);
          setTimeout(() => setDone(false), 1600);
        }
      }}
    >
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}
