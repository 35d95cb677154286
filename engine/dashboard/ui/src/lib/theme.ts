import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const place = "hookline-theme";

function read(): Theme {
  try {
    const t = localStorage.getItem(place);
    return t === "light" || t === "dark" ? t : "system";
  } catch {
    return "system";
  }
}

export const theme = signal<Theme>(read());

export function setTheme(t: Theme): void {
  theme.value = t;
  try {
    localStorage.setItem(place, t);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  applyTheme();
}

export function applyTheme(): void {
  document.documentElement.dataset["theme"] = theme.value;
}
