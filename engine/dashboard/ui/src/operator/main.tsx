import { render } from "preact";
import { applyTheme } from "../lib/theme";
applyTheme();
render(<p>hookline</p>, document.getElementById("app")!);
