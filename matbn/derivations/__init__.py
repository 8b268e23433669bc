"""Five independent derivations of the same gradient, one in each file, in the notation of their sources.

Each has `gradient(net, y)`, which returns the loss R = ‖y - ŷ‖²/N and its derivatives. They are there to be read and to
check each other and `matbn.gradient`, which offers each as a route: none calls another or shares its formulas. Where a
source divides a variance by the number of samples, these divide by d = N - ddof, so that all agree for every ddof.

Read `loop` (node by node, as the question has it), then `sums`, `graph`, `kronecker` and `frechet`.
"""
