import { useState } from "preact/hooks";
import { count, ms } from "../lib/text";
import { exact } from "../lib/time";
import type { Stats } from "../lib/types";

type Steps = NonNullable<Stats["steps"]>;

function failed(s: Steps[number]): number {
  const a = s.attempts;
  return a.rejected + a.unreachable + a.timed_out + a.gone;
}

// Bars shows attempts over time, failed ones below the line so that shape tells them apart as well as colour; the same as
// a table for those who would rather read.
export function Bars({ steps }: { steps: Steps }) {
  const [table, setTable] = useState(false);
  const most = Math.max(1, ...steps.map((s) => Math.max(s.attempts.acknowledged, failed(s))));
  const bad = steps.some((s) => failed(s) > 0);
  const up = 64, down = bad ? 34 : 0, w = 100 / steps.length;
  const height = (n: number, room: number) => (n === 0 ? 0 : Math.max(2, (n / most) * room));
  return (
    <figure class="bars" aria-label="Attempts over time">
      {table ? (
        <div class="scroll barstable"><table class="table">
          <thead><tr><th>From</th><th class="number">Acknowledged</th><th class="number">Failed</th><th class="number">p95</th></tr></thead>
          <tbody>{steps.filter((s) => s.attempts.acknowledged + failed(s) > 0).map((s) => <tr key={s.from}><td>{exact(s.from)}</td><td class="number">{count(s.attempts.acknowledged)}</td><td class="number">{count(failed(s))}</td><td class="number">{s.latency_ms ? ms(s.latency_ms.p95) : "–"}</td></tr>)}</tbody>
        </table></div>
      ) : (
        <svg viewBox={`0 0 100 ${up + down + 1}`} preserveAspectRatio="none" role="img" aria-label={`Attempts over time, at most ${count(most)} in a step. The table has the numbers.`}>
          {steps.map((s, i) => (
            <g key={s.from}>
              <title>{`${exact(s.from)}: ${count(s.attempts.acknowledged)} acknowledged, ${count(failed(s))} failed`}</title>
              <rect class="hit" x={i * w} y={0} width={w} height={up + down + 1} />
              <rect class="good" x={i * w + w * 0.12} width={w * 0.76} y={up - height(s.attempts.acknowledged, up)} height={height(s.attempts.acknowledged, up)} />
              <rect class="bad" x={i * w + w * 0.12} width={w * 0.76} y={up + 1} height={height(failed(s), down)} />
            </g>
          ))}
          <rect class="axis" x={0} y={up} width={100} height={1} />
        </svg>
      )}
      <figcaption>
        <span class="key good">acknowledged</span>{bad && <span class="key bad">failed, below the line</span>}
        <button type="button" class="button quiet small" aria-pressed={table} onClick={() => setTable(!table)}>{table ? "Chart" : "Table"}</button>
      </figcaption>
    </figure>
  );
}
