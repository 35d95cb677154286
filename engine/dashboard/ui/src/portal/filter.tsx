import { useEffect, useState } from "preact/hooks";
import { call } from "../lib/api";
import { useAccount } from "../lib/session";
import { Icon } from "../ui/icons";
import { Field } from "../ui/parts";
import { Text } from "../ui/text";

interface Remark {
  line: number;
  column: number;
  message: string;
  suggestion: string;
  text: string;
}

interface Checked {
  valid: boolean;
  errors: Remark[];
  warnings: Remark[];
}

// FilterField edits a filter; the server says while it is typed what is wrong with it, and where.
export function FilterField({ value, types, change, fault }: { value: string; types: string[] | null; change: (v: string) => void; fault?: string }) {
  const { tenant } = useAccount();
  const [checked, setChecked] = useState<Checked>();
  useEffect(() => {
    setChecked(undefined);
    if (!value.trim()) return;
    const c = new AbortController();
    const t = setTimeout(() => {
      call<Checked>("POST", "/v1/filters:check", { filter: value, tenant: tenant.id, ...(types?.length && { event_types: types }) }, c.signal).then(setChecked, () => undefined); // saving tells
    }, 250);
    return () => {
      clearTimeout(t);
      c.abort();
    };
  }, [value, types?.join()]);
  const error = checked?.errors[0];
  const remark = error ?? checked?.warnings[0];
  return (
    <div>
      <Field label="Filter" optional fault={error ? error.message : fault} hint={checked?.valid && !remark ? <span class="hint ok"><Icon name="check" />A valid filter</span> : <span>A condition on the event, e.g. <code>data.domain endsWith ".com"</code>. Only events for which it is true are sent.</span>}>
        {(ids) => <textarea {...ids} class="code" rows={2} spellcheck={false} value={value} onInput={(e) => change(e.currentTarget.value)} />}
      </Field>
      {remark && (
        <div class={"note remark " + (error ? "bad" : "warn")} role="status">
          <Icon name="alert" />
          <div>
            {!error && <p>{remark.message}</p>}
            <pre><Text of={remark.text} /></pre>
            {remark.suggestion && <p class="row">Write <code><Text of={remark.suggestion} /></code> instead</p>}
          </div>
        </div>
      )}
    </div>
  );
}
