"""Plots show the numbers of the fit."""

import sys

import numpy as np
import pytest

import matbn
from matbn.plotting import plot_gradients
from matbn.plotting.gradients import LOWEST, relative_difference
from matbn.plotting.graph import lay_out
from matbn.plotting.points import running_mean
from matbn.plotting.trace import FLOOR

matplotlib = pytest.importorskip("matplotlib")
pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from matbn.plotting.canvas import BLUE, ORANGE  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(6)
    N = 150
    data = pandas.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    data["g"], data["id"] = rng.choice(["north", "south", "west"], N), rng.integers(9, size=N)
    data["y"] = data.x - np.tanh(2 * data.z) + (data.g == "west") + data.id / 5 + rng.normal(size=N) / 3
    return matbn.fit("y ~ x + g + net(z, x, size=2) | id", data, weights="w", penalty=1e-3, starts=3)


def test_effects_are_partial_dependences_with_their_bounds(fit):
    axes = fit.plot("effects", vcov="~ id", level=0.9)
    assert [axis.get_xlabel() for axis in axes] == ["x", "z", "g"]
    for axis, name in zip(axes[:2], ("x", "z"), strict=True):
        found = fit.partial_dependence(name, vcov="~ id", level=0.9)
        np.testing.assert_allclose(axis.lines[0].get_xydata(), np.column_stack([found.at, found.estimate]))
        corners = axis.collections[0].get_paths()[0].vertices
        for at, lower, upper in zip(found.at, found.lower, found.upper, strict=True):
            here = corners[np.isclose(corners[:, 0], at), 1]
            assert here.min() == pytest.approx(lower)
            assert here.max() == pytest.approx(upper)
    levels = fit.partial_dependence("g", vcov="~ id", level=0.9)
    np.testing.assert_allclose(axes[2].lines[0].get_ydata(), levels.estimate)
    assert [label.get_text() for label in axes[2].get_xticklabels()] == ["north", "south", "west"]
    assert len({axis.get_ylim() for axis in axes}) == 1
    assert "90 % bounds, errors clustered by id" in axes[0].get_title(loc="left")
    (one,) = fit.plot(variables="x", at=[0.0, 1.0])
    assert one.lines[0].get_xdata().tolist() == [0, 1]


def test_fitted_values_stand_beside_outcomes(fit):
    axis = fit.plot("fitted")
    points = axis.collections[0]
    np.testing.assert_allclose(points.get_offsets(), np.column_stack([fit.fitted, fit.fitted + fit.residuals]))
    np.testing.assert_allclose(points.get_sizes() / points.get_sizes()[0], fit.design.w / fit.design.w[0])
    assert f"R² = {fit.r_squared:.3f}" in axis.texts[0].get_text()
    assert axis.get_xlim() == axis.get_ylim()


def test_residuals_and_their_quantiles(fit):
    left, right = fit.plot("residuals")
    np.testing.assert_allclose(left.collections[0].get_offsets(), np.column_stack([fit.fitted, fit.residuals]))
    ordered = right.lines[1].get_ydata()
    np.testing.assert_allclose(ordered, np.sort(fit.augment()._std_resid), rtol=1e-10)
    assert (np.diff(right.lines[1].get_xdata()) > 0).all()


def test_a_running_mean_follows_a_line_exactly_and_a_curve_nearly():
    x = np.random.default_rng(1).uniform(-2, 2, 500)
    at, line = running_mean(x, 3 * x - 1, None)
    np.testing.assert_allclose(line, 3 * at - 1, atol=1e-9)
    at, curve = running_mean(x, np.sin(x), np.ones(500))
    assert np.abs(curve - np.sin(at)).max() < 0.12
    assert not len(running_mean(np.ones(5), np.arange(5.0), None)[0])


def test_traces_have_an_entry_for_each_iteration(fit):
    axis = fit.plot("trace")
    lines = [line for line in axis.lines if len(line.get_xdata()) > 1]
    lengths = sorted(len(line.get_xdata()) for line in lines)
    assert lengths == sorted(search.iterations for search in fit.searches)
    best = max(lines, key=lambda line: line.get_zorder())
    trace, loss = fit.searches[0].trace, min(search.trace.min() for search in fit.searches)
    np.testing.assert_allclose(best.get_ydata(), np.maximum((trace - loss) / loss, FLOOR), rtol=1e-6)
    assert any("converged: 3" in text.get_text() for text in axis.get_legend().get_texts())
    with pytest.raises(matbn.ArgumentError, match="has no nets, and so no searches"):
        matbn.fit(fit.fitted, linear=np.arange(150.0)).plot("trace")


def test_a_network_has_an_edge_for_each_weight(fit):
    axis = fit.plot("network")
    (edges,) = [found for found in axis.collections if len(found.get_paths()) and found.get_capstyle() == "butt"]
    found = lay_out(fit, "y")
    assert len(found.edges) == 2 * 2 + 2 + 3
    net = fit.nets[0]
    spread = np.sqrt([np.average((Z - np.average(Z, weights=fit.design.w)) ** 2, weights=fit.design.w)
                      for Z in fit.design.terms[0].Z.T])  # fmt: skip
    expected = [*(net.A * spread[:, None]).T.ravel(), *net.Gamma2]
    np.testing.assert_allclose([edge.weight for edge in found.edges[:6]], expected, rtol=1e-10)
    for edge, colour in zip(found.edges, edges.get_colors(), strict=True):
        assert tuple(colour[:3]) == to_rgb(BLUE if edge.weight >= 0 else ORANGE)
    widths = np.array(edges.get_linewidths())
    first = np.array([abs(edge.weight) for edge in found.edges if not edge.to_output])
    np.testing.assert_allclose(widths[:4] / widths[:4].max(), first / first.max())
    assert "effects of id (9)" in "".join(text.get_text() for text in axis.texts)
    assert not lay_out(matbn.Fit.from_json(fit.to_json()), "y").in_deviations


def test_a_heat_map_of_two_gradients():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    net = {"Gamma1": rng.normal(size=(3, 2)), "gamma": np.ones(2), "beta": np.zeros(2), "Gamma2": np.ones(2)}
    one, other = (matbn.net_gradient(X, y, **net, activation="tanh", route=route) for route in ("loop", "matrix"))
    axes = plot_gradients(one, other)
    assert axes.shape == (4, 3)
    np.testing.assert_array_equal(axes[0, 0].images[0].get_array(), one.Gamma1)
    np.testing.assert_array_equal(axes[0, 1].images[0].get_array(), other.Gamma1)
    shown = np.asarray(axes[0, 2].images[0].get_array())
    gap = np.abs(one.Gamma1 - other.Gamma1) / np.abs(other.Gamma1).max()
    np.testing.assert_allclose(shown[gap > 0], np.log10(gap[gap > 0]))
    assert (shown[gap == 0] == LOWEST).all()
    assert shown.max() < -14
    limits = axes[0, 0].images[0].get_clim()
    assert limits[0] == -limits[1]
    assert relative_difference(np.zeros(2), np.array([0.0, 2.0])).tolist() == [LOWEST, 0]
    matrices = plot_gradients(one.Gamma1, other.Gamma1 * 1.1, labels=("mine", "yours"))
    assert [axis.get_title() for axis in matrices[0, :2]] == ["mine", "yours"]
    with pytest.raises(matbn.ShapeError, match="one is 3 × 2, but that of other is 2 × 3"):
        plot_gradients(one.Gamma1, other.Gamma1.T)
    with pytest.raises(matbn.ArgumentError, match="they must be gradients of the same parts"):
        plot_gradients(one, other.Gamma1)
    with pytest.raises(matbn.ArgumentError, match="must be two texts"):
        plot_gradients(one, other, labels="loop")


def test_plots_go_where_they_are_told_to(fit):
    _, axes = pyplot.subplots(1, 3)
    assert (fit.plot("effects", axes) == axes).all()
    assert fit.plot("fitted", axes[0]) is axes[0]
    with pytest.raises(matbn.ArgumentError, match="axes are 3, but the plot has 2 panels"):
        fit.plot("residuals", axes)
    with pytest.raises(matbn.ElementTypeError, match="axes hold a str"):
        fit.plot("fitted", "here")


def test_what_cannot_be_drawn_is_refused(fit, monkeypatch):
    with pytest.raises(matbn.ArgumentError, match="kind is 'pie', but must be one of 'effects'"):
        fit.plot("pie")
    with pytest.raises(matbn.ArgumentError, match="'colour' is no option of kind 'effects'; there are variables"):
        fit.plot(colour="red")
    with pytest.raises(matbn.ArgumentError, match="variable is 'id', but must be one of"):
        fit.plot(variables=["id"])
    with pytest.raises(matbn.ArgumentError, match="came from JSON"):
        matbn.Fit.from_json(fit.to_json()).plot()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(matbn.MatbnError, match=r"pip install 'matbn\[plot\]'"):
        fit.plot("fitted")
