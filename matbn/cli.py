"""The command `matbn`: the forum's checks and the claims, on the screen or as JSON."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence

import matbn
from matbn.errors import MatbnError
from matbn.forum.checks import PUBLISHED, forum_checks
from matbn.forum.claims import claims
from matbn.forum.markdown import claims_markdown
from matbn.forum.report import claims_data, claims_text, forum_data, forum_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 where a figure differs, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals without Greek letters
    try:
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except MatbnError as error:
        print(f"matbn: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("matbn: these sizes need more memory than there is", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the program that reads the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _forum(options: argparse.Namespace) -> int:
    result = forum_checks(options.seed, options.N, options.p1, options.p2)
    print(json.dumps(forum_data(result)) if options.json else forum_text(result))
    if options.json and result.without_r:
        print(f"matbn: Python alone: {result.without_r}", file=sys.stderr)
    return 0 if result.agree else 1


def _claims(options: argparse.Namespace) -> int:
    judgements = claims(options.seed)
    if options.json:
        print(json.dumps(claims_data(judgements), ensure_ascii=False))
    else:
        print(claims_markdown(judgements) if options.markdown else claims_text(judgements))
    return 0 if all(judgement.correction_holds for judgement in judgements) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="matbn", description=matbn.__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"matbn {matbn.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    forum = commands.add_parser(
        "forum",
        help="the question's numeric checks: printed, in Python and in R",
        description="The question's numeric checks as posted. Exit status 1 where a figure differs.",
    )
    for name, default in PUBLISHED.items():
        meaning = {"seed": "R's seed", "N": "samples", "p1": "inputs", "p2": "nodes, at most p1"}[name]
        forum.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} (the question has {default})")
    forum.set_defaults(run=_forum)

    claim = commands.add_parser(
        "claims",
        help="every claimed formula, judged by computation",
        description="Every claim of the question, its answers and posts, judged on data drawn afresh."
        " Exit status 1 where a correction does not hold.",
    )
    claim.add_argument("--seed", type=int, default=1, help="seed of the random data (default 1)")
    claim.add_argument("--markdown", action="store_true", help="print the page docs/claims.md")
    claim.set_defaults(run=_claims)

    for command in (forum, claim):
        command.add_argument("--json", action="store_true", help="print data instead of text")
    return parser
