"""The one-pass engine: loss and exact gradient from one reading of the rows.

For a fixed X, batch norm's statistics and their derivatives need no pass over the rows (Theorem 5 of docs/answer.md,
here with case weights). Let m be the (weighted) mean of X's rows, X_c = X - 1mᵀ, and D the diagonal matrix of the case
weights w (I without weights). A QR factorisation, block by block, gives once the triangular T with TᵀT = X_cᵀDX_c =: S.
Then, for any parameters,

    s_j² = ‖TΓ₁ⱼ‖²/d + eps,   SΓ₁ = Tᵀ(TΓ₁),   d = 1ᵀw - ddof
    B    = X_cA + 1βᵀ,        A = Γ₁·diag(γ/s)          the layer folds into a plain one
    U    = (uΓ₂ᵀ)⊙a′(B)                                  for a vector u over the rows
    M    = X_cᵀU,             b = Uᵀ1                    sums over the rows
    g    = diag(Γ₁ᵀM)/s
    Jᵀu  = (vec([M - SΓ₁·diag(g/(s·d))]·diag(γ/s)), g, b, Vᵀu),   J = ∂ŷ/∂θᵀ

and the gradient of R = eᵀDe/1ᵀw is Jᵀu at u = -(2/1ᵀw)·De. Since M, b, Vᵀu and eᵀDe are sums over rows, one
reading gives them, in blocks that stay in cache: product, activation, residual, product, on the same block. A plain net
has A = Γ₁, and its derivative by Γ₁ is M alone.

Read `prepared`, which users hold, first. `moments` computes m and T, `layer` folds the first layer and differentiates
the fold, `point` holds the net at one value of its parameters, and `one_off` has the gradient at one point without T.
`run` goes through all rows: `kernel` computes V and a′(B) of a block, and `visits` what the block adds to each sum.
`rows` and `arrow` (with `arrow_files`) are sources of rows, `sizes` says how many rows make a block.
"""
