import { useState } from "preact/hooks";
import type { EventType } from "../lib/types";
import { Code } from "../ui/http";
import { Icon } from "../ui/icons";
import { plural } from "../lib/text";
import { Text } from "../ui/text";

export interface Group {
  name: string;
  types: EventType[];
}

// groups puts types together by what stands before their first dot, in the catalogue's order.
export function groups(types: EventType[]): Group[] {
  const out: Group[] = [];
  for (const t of types) {
    const name = t.name.split(".")[0]!;
    const g = out.find((x) => x.name === name);
    if (g) g.types.push(t);
    else out.push({ name, types: [t] });
  }
  return out;
}

export function matches(t: EventType, word: string): boolean {
  const w = word.trim().toLowerCase();
  return !w || t.name.toLowerCase().includes(w) || t.description.toLowerCase().includes(w);
}

// Picker chooses event types of the catalogue. chosen null = all types, those to come included. What is chosen and not in
// the catalogue (a prefix, a type of the publisher's own) stays and is shown.
export function Picker({ types, chosen, change, fault }: { types: EventType[]; chosen: string[] | null; change: (c: string[] | null) => void; fault?: string }) {
  const [word, setWord] = useState("");
  const [example, setExample] = useState("");
  const picked = new Set(chosen ?? []);
  const known = new Set(types.map((t) => t.name));
  const others = [...picked].filter((n) => !known.has(n));
  const toggle = (names: string[], on: boolean) => {
    const next = new Set(picked);
    for (const n of names) on ? next.add(n) : next.delete(n);
    change([...next]);
  };
  return (
    <fieldset class="picker">
      <legend class="legend">Events</legend>
      <label class="choice"><input type="radio" name="events" checked={chosen === null} onChange={() => change(null)} /><span>All events<small>Types that are added later are included.</small></span></label>
      <label class="choice"><input type="radio" name="events" checked={chosen !== null} onChange={() => change([])} /><span>Only the ones I choose{chosen && chosen.length > 0 && <small>{plural(chosen.length, "event type")} chosen</small>}</span></label>
      {chosen !== null && (
        <div class="catalogue">
          <div class="searchbox"><Icon name="search" /><input type="search" placeholder="Find an event type" aria-label="Find an event type" value={word} onInput={(e) => setWord(e.currentTarget.value)} /></div>
          {others.length > 0 && <p class="row others">{others.map((n) => <button type="button" class="tag" key={n} onClick={() => toggle([n], false)} title="Take it away"><Text of={n} /> ×</button>)}</p>}
          <div class="catalogue-list">
            {groups(types).map((g) => {
              const shown = g.types.filter((t) => matches(t, word));
              if (!shown.length) return null;
              const names = shown.map((t) => t.name);
              const all = names.every((n) => picked.has(n));
              return (
                <div key={g.name} class="typegroup">
                  <div class="grouphead"><b>{g.name}</b><button type="button" class="button quiet small" onClick={() => toggle(names, !all)}>{all ? "None of these" : "All of these"}</button></div>
                  {shown.map((t) => (
                    <div key={t.name} class="type">
                      <label><input type="checkbox" checked={picked.has(t.name)} onChange={(e) => toggle([t.name], e.currentTarget.checked)} /><span><code>{t.name}</code><small>{t.description}</small></span></label>
                      <button type="button" class="button quiet small" aria-expanded={example === t.name} onClick={() => setExample(example === t.name ? "" : t.name)}>Example</button>
                      {example === t.name && <Code text={JSON.stringify(t.example)} label={"Example of data of " + t.name} />}
                    </div>
                  ))}
                </div>
              );
            })}
            {!types.some((t) => matches(t, word)) && <p class="nothing">No event type matches “{word}”. <button type="button" class="button quiet small" onClick={() => setWord("")}>Clear</button></p>}
          </div>
        </div>
      )}
      {fault && <div class="hint faultline" role="alert"><Icon name="alert" />{fault}</div>}
    </fieldset>
  );
}
