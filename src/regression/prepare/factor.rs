//! Cholesky factors and inverses of matrices of some hundred rows, in blocks, so that nearly all of the work is in products
//! of matrices (Golub & Van Loan, 4th ed., 4.2.9).

use nalgebra::DMatrix;

/// Rows of a block.
const BLOCK: usize = 48;

/// The lower triangle L of a = L L^T; `None` where `a` is not positive definite.
pub(super) fn cholesky(mut a: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let n = a.nrows();
    for at in (0..n).step_by(BLOCK) {
        let width = BLOCK.min(n - at);
        let corner = a.view((at, at), (width, width)).clone_owned().cholesky()?.unpack();
        let below = n - at - width;
        if below > 0 {
            let inverse = lower_inverse(&corner);
            let panel = a.view((at + width, at), (below, width)) * inverse.transpose();
            a.view_mut((at + width, at), (below, width)).copy_from(&panel);
            // The lower triangle of what is left, strip by strip.
            for from in (0..below).step_by(BLOCK) {
                let across = panel.rows(from, BLOCK.min(below - from)).transpose();
                let mut strip =
                    a.view_mut((at + width + from, at + width + from), (below - from, across.ncols()));
                strip.gemm(-1.0, &panel.rows(from, below - from), &across, 1.0);
            }
        }
        a.view_mut((at, at), (width, width)).copy_from(&corner);
        a.view_mut((0, at), (at, width)).fill(0.0);
    }
    Some(a)
}

/// The inverse of a lower triangle, by halves: [A 0; B C]^-1 = [A^-1 0; -C^-1 B A^-1, C^-1].
pub(super) fn lower_inverse(l: &DMatrix<f64>) -> DMatrix<f64> {
    let n = l.nrows();
    if n <= BLOCK {
        let mut inverse = DMatrix::zeros(n, n);
        for j in 0..n {
            inverse[(j, j)] = 1.0 / l[(j, j)];
            for i in j + 1..n {
                let sum: f64 = (j..i).map(|k| l[(i, k)] * inverse[(k, j)]).sum();
                inverse[(i, j)] = -sum / l[(i, i)];
            }
        }
        return inverse;
    }
    let half = n / 2;
    let a = lower_inverse(&l.view((0, 0), (half, half)).clone_owned());
    let c = lower_inverse(&l.view((half, half), (n - half, n - half)).clone_owned());
    let b = -(&c * l.view((half, 0), (n - half, half)) * &a);
    let mut inverse = DMatrix::zeros(n, n);
    inverse.view_mut((0, 0), (half, half)).copy_from(&a);
    inverse.view_mut((half, 0), (n - half, half)).copy_from(&b);
    inverse.view_mut((half, half), (n - half, n - half)).copy_from(&c);
    inverse
}

/// Twice the sum of the logarithms of the diagonal: ln |L L^T|.
pub(super) fn log_determinant(l: &DMatrix<f64>) -> f64 {
    2.0 * l.diagonal().iter().map(|x| x.ln()).sum::<f64>()
}

/// W^T W of a lower triangle W.
pub(super) fn square(w: &DMatrix<f64>) -> DMatrix<f64> {
    let n = w.nrows();
    let mut product = DMatrix::zeros(n, n);
    for at in (0..n).step_by(BLOCK) {
        let height = BLOCK.min(n - at);
        // These rows are zero beyond the block's last column.
        let rows = w.view((at, 0), (height, at + height));
        let across = rows.transpose();
        product.view_mut((0, 0), (at + height, at + height)).gemm(1.0, &across, &rows, 1.0);
    }
    product
}
