import type { Problem } from "../lib/api";
import { Icon, Logo } from "../ui/icons";

// Closed is what is shown without a session: what happened, and what to do.
export function Closed({ error, fresh }: { error?: Problem; fresh: boolean }) {
  const [title, text] = words(error, fresh);
  return (
    <main class="gate">
      <div class="card gatecard">
        <Logo />
        <h1>{title}</h1>
        <p class="soft">{text}</p>
        {error && error.status !== 401 && <button type="button" class="button" onClick={() => location.reload()}><Icon name="rotate" />Try again</button>}
      </div>
    </main>
  );
}

// notKept is the title of a fault: the browser refused the session's cookie.
export const notKept = "The session was not kept";

function words(error: Problem | undefined, fresh: boolean): [string, string] {
  if (error?.title === notKept) {
    return [notKept, "Your browser refused its cookie. That happens where cookies are blocked, and on a page that is not served by HTTPS. Allow it, then open Webhooks again from your account."];
  }
  if (fresh && error && error.status >= 400 && error.status < 500) {
    return ["This link is used up", "A link opens once and is good for five minutes. Go back to where you found it and open Webhooks again."];
  }
  if (!error || error.status === 401 || error.status === 403) {
    return ["Your session is over", "Go back to your account and open Webhooks again; a new session starts there."];
  }
  return ["Webhooks could not be opened", error.message];
}
