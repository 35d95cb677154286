import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api";
import type { Page } from "./types";

export interface Load<T> {
  data?: T;
  error?: Problem;
  loading: boolean;
  reload(): void;
  set(data: T): void;
}

function problem(e: unknown): Problem {
  return e instanceof Problem ? e : new Problem(0, "Unexpected", e instanceof Error ? e.message : String(e));
}

// useLoad loads when a dependency changes. What was there stays while the same thing is loaded again.
export function useLoad<T>(load: (abort: AbortSignal) => Promise<T>, deps: readonly unknown[], every?: number): Load<T> {
  const [state, setState] = useState<{ data?: T; error?: Problem; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);
  const key = JSON.stringify(deps);
  const last = useRef(key);
  useEffect(() => {
    const c = new AbortController();
    const again = last.current === key;
    last.current = key;
    setState((s) => ({ data: again ? s.data : undefined, loading: true }));
    load(c.signal).then(
      (data) => c.signal.aborted || setState({ data, loading: false }),
      (e) => c.signal.aborted || setState((s) => ({ data: s.data, error: problem(e), loading: false })),
    );
    return () => c.abort();
  }, [key, round]);
  useEffect(() => {
    if (!every) return;
    const t = setInterval(() => document.visibilityState === "visible" && setRound((n) => n + 1), every);
    return () => clearInterval(t);
  }, [every]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const set = useCallback((data: T) => setState({ data, loading: false }), []);
  return { ...state, reload, set };
}

export interface Pages<T> {
  items?: T[];
  error?: Problem;
  loading: boolean;
  more?: () => void; // undefined at the end
  reload(): void;
  prepend(item: T): void;
}

// usePages loads a list page by page.
export function usePages<T>(load: (cursor: string | undefined, abort: AbortSignal) => Promise<Page<T>>, deps: readonly unknown[]): Pages<T> {
  interface State { items?: T[]; error?: Problem; loading: boolean; next?: string | null }
  const [state, setState] = useState<State>({ loading: true });
  const [round, setRound] = useState(0);
  const abort = useRef<AbortController | undefined>(undefined);
  const key = JSON.stringify(deps);
  const last = useRef(key);
  const fetchPage = (cursor: string | undefined, before: T[]) => {
    abort.current?.abort();
    const c = new AbortController();
    abort.current = c;
    load(cursor, c.signal).then(
      (p) => c.signal.aborted || setState({ items: [...before, ...p.data], next: p.next_cursor, loading: false }),
      (e) => c.signal.aborted || setState((s) => ({ ...s, error: problem(e), loading: false })),
    );
  };
  useEffect(() => {
    const again = last.current === key;
    last.current = key;
    setState((s) => ({ items: again ? s.items : undefined, loading: true }));
    fetchPage(undefined, []);
    return () => abort.current?.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const prepend = useCallback((item: T) => setState((s) => ({ ...s, items: [item, ...(s.items ?? [])] })), []);
  const more = state.next
    ? () => {
        setState((s) => ({ ...s, loading: true, error: undefined }));
        fetchPage(state.next!, state.items ?? []);
      }
    : undefined;
  return { items: state.items, error: state.error, loading: state.loading, more, reload, prepend };
}

// useAction runs one thing at a time and keeps what went wrong.
export function useAction<A extends unknown[]>(act: (...args: A) => Promise<void>): { run: (...args: A) => Promise<void>; busy: boolean; error?: Problem; clear(): void } {
  const [state, setState] = useState<{ busy: boolean; error?: Problem }>({ busy: false });
  const live = useRef(true);
  useEffect(() => () => void (live.current = false), []);
  const run = async (...args: A) => {
    setState({ busy: true });
    try {
      await act(...args);
      if (live.current) setState({ busy: false });
    } catch (e) {
      if (live.current) setState({ busy: false, error: problem(e) });
    }
  };
  return { run, ...state, clear: () => setState((s) => ({ busy: s.busy })) };
}
