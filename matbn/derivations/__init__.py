"""Independent derivations of the same gradient, one a file, in the notation of their sources.

Each has `gradient(net, y)` with the loss R = ‖y - ŷ‖²/N and its derivatives. They exist to be read and to
check each other and `matbn.gradient`: none calls another or shares its formulas. Where a source divides
a variance by the number of samples, d = N - ddof stands here, so that all agree under every convention.

Read `loop` (node by node, as the question has it), then `sums`, `graph`, `kronecker` and `frechet`.
"""
