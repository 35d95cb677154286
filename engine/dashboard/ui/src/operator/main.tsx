import { render } from "preact";
import { applyTheme } from "../lib/theme";
import { Logo } from "../ui/icons";

// Start is what stands at / until the operator's screens do.
function Start() {
  return (
    <main class="gate">
      <div class="card gatecard">
        <Logo />
        <h1>hookline</h1>
        <p class="soft">A webhook delivery engine is running here. Customers open its portal by a link of <code>POST /v1/tenants/…/portal-sessions</code>.</p>
        <p><a href="/openapi.json">/openapi.json</a> describes the API; <code>hookline help</code> the command line.</p>
      </div>
    </main>
  );
}

applyTheme();
render(<Start />, document.getElementById("app")!);
