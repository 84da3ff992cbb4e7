// Light or dark: the system's choice, until somebody chooses. It is no secret, so the browser may keep it.

import { Source } from "../state/source";

type Theme = "light" | "dark";
const KEY = "anycastle-theme";

function systems(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

export const theme = new Source<Theme>(chosen() ?? systems());

export function showTheme(): void {
  document.documentElement.dataset.theme = theme.value;
}

export function turnTheme(): void {
  theme.set(theme.value === "dark" ? "light" : "dark");
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // it holds for this page alone
  }
  showTheme();
}
