"""wizard.py: the wizard's screens as a person uses them, keys only."""
import re
import time

LIVE = r"\? help"


def home(t, binary):
    t.run([binary])
    t.expect("Look for servers", 20)


def discover(t, server):
    """From home to the list of servers, with that one in it."""
    t.keys("d")
    t.expect(re.escape(server), 60)
    t.expect("Nothing has been changed", 60)


def choose(t, server):
    """From the list of servers to the questions of the journey that fits."""
    for _ in range(40):
        if re.search(r"^ › " + re.escape(server[:12]), t.screen(), re.M):
            break
        t.keys("j")
        t.settle()
    t.expect(r"^ › " + re.escape(server[:12]), 5)
    t.keys("Enter")
    t.expect(r"\d+ questions, ", 10)


def to_the_form(t, binary, server):
    """Home, discovery, the server of that name, the questions."""
    home(t, binary)
    discover(t, server)
    choose(t, server)


def set_field(t, name, value):
    """Moves to the field with that variable name (shown in the rule below) and types."""
    for _ in range(30):
        t.keys("Up")
    t.settle()
    for _ in range(30):
        if re.search(rf"^── {re.escape(name)} ─", t.screen(), re.M):
            break
        t.keys("Down")
        t.settle()
    t.expect(rf"^── {re.escape(name)} ─", 5)
    t.keys("C-u")
    t.text(value)
    t.settle()


def start(t):
    """The plan, read; then g and y."""
    t.keys("C-p")
    t.expect("Dry run, nothing has been changed", 20)
    plan = t.screen()
    t.keys("g")
    t.expect("Start this run", 10)
    t.pause(0.5)                        # a dialog takes keys only after it could be read
    t.keys("Enter")                     # must not start anything
    t.expect("Start this run", 2)
    t.keys("y")
    t.expect(r"Safe to disconnect|Waiting for you", 20)
    return plan


def answer(t, gate, screens):
    """Answers the dialog of this gate as the screen offers it; the screen is kept."""
    title = gate["title"]
    t.expect(r"─ " + re.escape(title[:30]), 20)        # in the dialog's frame, not in the list
    screens.append((gate["kind"], t.settle()))
    t.pause(0.5)
    if gate["kind"] == "manual":
        for i, _ in enumerate(gate.get("lines") or []):
            t.expect(r"› \[[ x]\]", 5)
            t.keys("Space")
            t.settle()
            if i + 1 < len(gate["lines"]):
                t.keys("j")
                t.settle()
        t.expect(r"y done|All are ticked", 5)
        t.keys("y")
    elif gate["kind"] == "decision":
        if [c["key"] for c in gate["choices"]] == ["y"]:        # free text
            t.text("as the test says")
        t.settle()
        t.keys("Enter")
    elif gate["kind"] == "word":
        t.keys("Enter")                 # nothing is typed yet: must do nothing
        t.expect(re.escape(title[:30]), 2)
        t.text(gate["text"])
        t.settle()
        t.keys("Enter")
    else:
        t.keys("Enter", "Space")        # neither confirms anything
        t.expect(re.escape(title[:30]), 2)
        t.keys("y")


def drive(t, op, until, screens, stop=lambda gate: False, answered=None):
    """Answers every gate on the screen until `until(event)`; returns that event, or the gate at
    which `stop` said so. `answered`: gates that have their answer already, by seq; kept up."""
    seen, end = 0, time.monotonic() + 420
    answered = set() if answered is None else answered
    while time.monotonic() < end:
        op.read()
        while seen < len(op.events):
            seen += 1
            if until(op.events[seen - 1]):
                return op.events[seen - 1]
        gate = op.open_gate()
        if gate and stop(gate):
            return gate
        if gate and gate["kind"] in ("error", "unknown"):
            raise AssertionError(f"the run asks: {gate['title']}: {gate.get('lines')}\n{t.screen()}")
        if gate and gate["kind"] != "after" and gate["seq"] not in answered:
            answered.add(gate["seq"])
            answer(t, gate, screens)
        t.pause(0.05)
    raise AssertionError(f"nothing within 420 s:\n{t.screen()}")


def still(s):
    """The screen without what time changes: durations, clocks, rates, bars, the spinner."""
    s = re.sub(r"\d+ (s|ms|min|h)\b|\d+:\d\d(:\d\d)?|[\d.]+ ([kMG]B|bytes)(/s)?", "#", s)
    s = re.sub(r"[⠀-⣿◐◓◑◒]", "*", s)
    return re.sub(r"[━─▁▂▃▄▅▆▇█ ]+", " ", s)


def alike(a, b, timeout=30):
    """Waits until both screens show the same."""
    end = time.monotonic() + timeout
    while True:
        x, y = a.screen(), b.screen()
        if still(x) == still(y) and len(x.split()) > 10:
            return
        if time.monotonic() > end:
            raise AssertionError(f"the screens differ:\n{x}\n---- undisturbed:\n{y}")
        time.sleep(0.1)


def enter_live(tui):
    """Past the welcome-back page, when there is one."""
    live = r"Waiting for you since|\? help"
    tui.expect(r"Enter attach|" + live, 60)
    if "Enter attach" in tui.settle():
        tui.keys("Enter")
    end = time.monotonic() + 30
    while "Enter attach" in tui.expect(live, 30).string:
        assert time.monotonic() < end, tui.screen()
        time.sleep(0.05)
