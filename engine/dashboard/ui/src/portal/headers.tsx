import { Icon } from "../ui/icons";
import { Button } from "../ui/parts";

export interface HeaderRow {
  name: string;
  value: string;
}

export function headerRows(of: Record<string, string>): HeaderRow[] {
  return Object.keys(of).sort().map((name) => ({ name, value: of[name]! }));
}

export function headersOf(rows: HeaderRow[]): Record<string, string> {
  return Object.fromEntries(rows.filter((r) => r.name.trim()).map((r) => [r.name.trim().toLowerCase(), r.value]));
}

// HeadersEditor edits headers that are sent with every attempt.
export function HeadersEditor({ rows, change, fault }: { rows: HeaderRow[]; change: (rows: HeaderRow[]) => void; fault?: string }) {
  const set = (i: number, part: Partial<HeaderRow>) => change(rows.map((r, j) => (i === j ? { ...r, ...part } : r)));
  return (
    <fieldset class="picker">
      <legend class="legend">Headers<span class="optional">optional</span></legend>
      {rows.map((r, i) => (
        <div class="headerrow" key={i}>
          <input type="text" class="code" aria-label={`Name of header ${i + 1}`} placeholder="x-environment" value={r.name} spellcheck={false} onInput={(e) => set(i, { name: e.currentTarget.value })} />
          <input type="text" class="code" aria-label={`Value of header ${i + 1}`} placeholder="value" value={r.value} spellcheck={false} onInput={(e) => set(i, { value: e.currentTarget.value })} />
          <button type="button" class="iconbutton" aria-label={"Take away header " + (r.name || i + 1)} onClick={() => change(rows.filter((_, j) => j !== i))}><Icon name="cross" /></button>
        </div>
      ))}
      <div class="row">{rows.length < 20 && <Button kind="small" icon="plus" onClick={() => change([...rows, { name: "", value: "" }])}>Add a header</Button>}<span class="hint">Sent with every attempt to this endpoint.</span></div>
      {fault && <div class="hint faultline" role="alert"><Icon name="alert" />{fault}</div>}
    </fieldset>
  );
}
