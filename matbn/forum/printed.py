"""The figures that the question prints, digit for digit."""

import numpy as np

from matbn.arguments import Array

_GAMMA1 = """
-61.531877  122.66157  360.08132 -51.666215
  7.047767  -14.04947  -41.24316   5.917769
124.157678 -247.50384 -726.56422 104.250961
 44.151682  -88.01478 -258.37333  37.072659
 22.478082  -44.80924 -131.54056  18.874078
 22.098857  -44.05327 -129.32135  18.555655
 79.617345 -158.71430 -465.91653  66.851965
"""

# Each row of text is a row of the figure.
_TEXTS = {
    "beta_matrix": "-0.4460901 0.3899186 1.26758 -0.09589582",
    "beta_loop": "-0.44609015 0.38991862 1.26758024 -0.09589582",
    "Gamma1_matrix": _GAMMA1,
    "Gamma1_loop": _GAMMA1,
    "gamma_matrix": """
 0.8580574 -1.125017  -4.876398  0.4611406
-4.5463304  5.960787  25.837103 -2.4433071
 2.0706860 -2.714919 -11.767849  1.1128364
-8.5641868 11.228681  48.670853 -4.6025996
""",
    "gamma_loop": "0.8580574 5.9607870 -11.7678486 -4.6025996",
}


def printed_figure(name: str) -> Array:
    """Return the printed texts of a figure, in the figure's shape."""
    if name == "kronecker_rule":  # 40 × 4: column j has ones in rows 10(j-1)+1 … 10j, zeros elsewhere
        rows = np.arange(40)[:, None] // 10
        return np.where(rows == np.arange(4), "1", "0")
    rows_of_text = [line.split() for line in _TEXTS[name].strip().splitlines()]
    return np.array(rows_of_text if len(rows_of_text) > 1 else rows_of_text[0])


def decimals(text: str) -> int:
    """Return how many digits are printed after the point."""
    return len(text.partition(".")[2])


def shows(value: float, text: str) -> bool:
    """Return whether the value, rounded to as many digits, reads as the printed text."""
    return f"{value:.{decimals(text)}f}" == text
