"""Starting the bridge: in an R session that has Python inside, or in a Python session that has R inside."""

import atexit
import os
from typing import Any

from matbn import arguments
from matbn.embedded_r import embedded_r


def setup() -> None:
    """Put matbn's functions into the environment that R keeps in options("matbn.bridge").

    The R package calls this, once, through reticulate, which carries no data. rpy2 takes the R that is
    already running; it must not end it, read its start-up files again or take its handler of Ctrl-C.
    """
    # rpy2 reads R_HOME when it is imported, and this when it starts; it then takes R as it is.
    os.environ["R_SESSION_INITIALIZED"] = f'PID={os.getpid()}:NAME="matbn"'
    import rpy2.rinterface as ri

    from matbn.stopping import saved_handler

    with saved_handler():
        # Otherwise rpy2 starts a child R, which runs the user's .Rprofile, to ask for its environment.
        original, ri._setrenvvars = ri._setrenvvars, lambda actions: None
        try:
            ri.initr()
        finally:
            ri._setrenvvars = original
    atexit.unregister(ri.endr)
    arguments.FIRST_INDEX = 1
    install(ri.baseenv["getOption"]("matbn.bridge"), r_is_outside=True)


def embed() -> Any:
    """Start R inside this Python session, ready for library(matbn) there, and return rpy2's interface to it."""
    ri = embedded_r()
    environment = ri.baseenv["new.env"]()
    install(environment, r_is_outside=False)
    ri.baseenv["options"](**{"matbn.bridge": environment})
    return ri


def install(environment: Any, r_is_outside: bool) -> None:
    """Assign an R closure for each function that R may call."""
    from matbn.rbridge import interrupts
    from matbn.rbridge.closures import closure, pass_warnings_on
    from matbn.rbridge.functions import FUNCTIONS

    interrupts.prepare(r_is_outside)
    if r_is_outside:
        pass_warnings_on()
    for name, function in FUNCTIONS.items():
        environment[name] = closure(function)
