"""``python -m dev.local``: the service on this machine, with everything it needs, until Ctrl-C.

Environment: PORT, WORKERS, USERS, CAL_API_URL, CAL_OAUTH_CLIENTS, SCHEDULE_SECONDS, STATE_DIR,
WEBHOOK_URL (change events are posted to it), WEBHOOK_SECRET (what they are signed with),
CAL_WEBHOOK_SECRET (what Cal.com's own webhooks are signed with), and the functions' own variables,
such as FRESH_SECONDS.
"""

import os
import signal
import sys
import threading
from urllib.parse import quote

from botocore.exceptions import BotoCoreError

from dev import ROOT
from dev.local.journal import Journal
from dev.local.settings import SECRET_NAME, LocalSettings, LocalSettingsError
from dev.local.stack import LocalStack, PortBusyError
from dev.local.webhook import SECRET_NAME as SIGNING_SECRET_NAME
from dev.local.workers import WorkerStartError

# SIGINT counts even where it was ignored before, as it is in what a shell runs in the background.
# SIGHUP does not, or nohup would have no effect.
_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
    _SIGNALS.append(signal.SIGHUP)


def main() -> int:
    """Run the stack until a signal and return the exit code."""
    stop = _set_on_signals()
    try:
        settings = LocalSettings.from_env(os.environ)
        return _run(settings, stop)
    except LocalSettingsError as error:
        return _complain(str(error), code=2)
    except PortBusyError as error:
        return _complain(f"{error}; choose another with PORT=8081, or PORT=0 for a free one")
    except WorkerStartError as error:
        return _complain(str(error))
    except BotoCoreError:
        return _complain("the embedded AWS did not start")


def _run(settings: LocalSettings, stop: threading.Event) -> int:
    with LocalStack(settings, journal=Journal()) as stack:
        if not stop.is_set():
            _introduce(stack)
        # A signal that comes just before a wait does not end it: it is handled after the wait.
        while not stop.wait(timeout=1):
            pass
    return 0


def _introduce(stack: LocalStack) -> None:
    client = quote(next(iter(stack.settings.clients)), safe="")
    base = f"{stack.url}/v2/oauth-clients/{client}"
    say = stack.journal.say
    say(f"aws {stack.aws_endpoint} region={stack.aws.region} secret={SECRET_NAME}")
    say(f"origin {stack.origin_url}{_hint(stack)}")
    say(f"client {client}")
    if stack.settings.webhook:
        say(f"webhook {stack.settings.webhook.host} secret={SIGNING_SECRET_NAME}")
    say(f"open {stack.url}/ for a look, {stack.url}/docs for the interface")
    say("try:")
    say(f"  curl -i '{base}/users'")
    say(f"  curl -i '{base}/users?limit=5&sort=-createdDate&fields=id,email,name'")
    say(f"  curl -i '{base}/cache'")
    say(f"  curl -i -X POST '{base}/cache/refresh?wait=true'")
    say(f"  curl -i '{base}/cache/changes?since=1'")
    say(f"  curl -i '{base}/events?after=0'")
    if stack.origin:
        _introduce_double(stack, client)
    say(f"ready {stack.url}")


def _introduce_double(stack: LocalStack, client: str) -> None:
    control = f"{stack.origin_url}/_control"
    say = stack.journal.say
    say("change the origin (the page has buttons for it), or see what it was asked:")
    say(f"  curl -X POST '{control}/clients/{client}/users' -d '{{\"name\": \"Ada Lovelace\"}}'")
    say(f'  curl -X PUT \'{control}/faults\' -d \'[{{"kind": "status", "status": 503}}]\'')
    say(f"  curl -X PUT '{control}/faults' -d '[]'")
    say(f"  curl '{control}/calls'")


def _hint(stack: LocalStack) -> str:
    if not stack.origin:
        return ""
    return f" (a double with {stack.settings.users} users, controlled at /_control/)"


def _complain(text: str, *, code: int = 1) -> int:
    print(f"error: {text}", file=sys.stderr, flush=True)
    return code


def _set_on_signals() -> threading.Event:
    """Return what a signal sets.

    A handler that raised could do so between something's start and the note of who stops it, so a
    signal during the start is acted on once all is up, a second or two later.
    """
    stop = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    # The functions' code is where their build puts it: at the root of the path.
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(main())
