//! Operations beside their equations and beside candle's, two threads beside one. What holds of every
//! operation, its gradients foremost, stands in `table`.

pub(in crate::networks) mod table;

use candle_core::{D, DType, Device, Result, Tensor, Var};

use super::*;
use crate::networks::check::uniform;

fn u(name: &str, shape: &[usize]) -> Tensor {
    uniform(name, shape, -1.0, 1.0)
}

fn tokens(v: &[u32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(v, shape, &Device::Cpu).unwrap()
}

/// A training step of shapes large enough for several threads; the bytes of all results.
fn large() -> Vec<u32> {
    let r = |name: &str, shape: &[usize]| {
        Var::from_tensor(&u(name, shape).to_dtype(DType::F32).unwrap()).unwrap()
    };
    let v = [
        r("x", &[9, 16, 33, 30]),
        r("k", &[40, 16, 3, 3]),
        r("b", &[40]),
        r("g", &[40]),
        r("w", &[200, 400]),
        r("a", &[300, 192]),
    ];
    let loss = || -> Result<(Tensor, Tensor)> {
        let y = conv2d(&v[0], &v[1], Some(&v[2]), &Conv::padded(1).stride(2))?;
        let y = gelu(&batch_norm(&y, &v[3], &v[2], 1e-5)?.y)?;
        let y = max_pool2d(&y, (2, 2), (2, 2), (0, 0))?;
        let flat = upsample_nearest(&y, 20, 20)?.reshape((9 * 40, 400))?;
        let h = linear(&flat, &v[4], None)?;
        let h = layer_norm(&h, &Tensor::ones(200, DType::F32, &Device::Cpu)?, None, 1e-5)?;
        let t = matmul(
            &flat.narrow(0, 0, 300)?.t()?.matmul(&v[5])?.narrow(0, 0, 192)?.contiguous()?,
            &v[5].t()?,
        )?;
        let s = self_attention(&v[5].reshape((2, 150, 192))?, 4, &Mask::default())?;
        Ok((((sum_all(&h.sin()?)? + mean_all(&softmax(&t)?)?)? + sum_all(&s)?)?, h))
    };
    let (l, h) = loss().unwrap();
    let mut all = vec![l.clone(), h];
    // Not through `gradients`, whose thread is outside the pool under test.
    let mut store = l.backward().unwrap();
    all.extend(v.iter().map(|v| store.remove(v).unwrap()));
    all.iter()
        .flat_map(|t| t.contiguous().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .map(f32::to_bits)
        .collect()
}

#[test]
fn results_do_not_depend_on_threads() {
    let on = |n: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(n).stack_size(16 << 20).build().unwrap().install(large)
    };
    let one = on(1);
    assert!(one == on(2));
    assert!(one == on(3));
    assert!(one == on(8));
}

#[test]
fn candle_matmul_does_not_depend_on_threads() {
    let a = u("a", &[300, 517]).to_dtype(DType::F32).unwrap();
    let b = u("b", &[517, 260]).to_dtype(DType::F32).unwrap();
    let c = a.matmul(&b).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let ours = matmul(&a, &b).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let one =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| matmul(&a, &b).unwrap());
    let one = one.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(c == ours && c == one);
}

/// Units in the last place between a result and the exact value.
fn ulp32(x: f32, exact: f64) -> f64 {
    let unit = (exact.abs() as f32).max(f32::MIN_POSITIVE);
    (f64::from(x) - exact).abs() / f64::from(f32::from_bits(unit.to_bits() + 1) - unit)
}

#[test]
fn elementary_functions_are_accurate() {
    let grid = |low: f64, high: f64| {
        (0..200_000).map(move |i| low + (high - low) * (f64::from(i) + 0.37) / 200_000.0)
    };
    let worst32 = |f: Activation, low: f64, high: f64, exact: &dyn Fn(f64) -> f64| {
        let x: Vec<f32> = grid(low, high).map(|x| x as f32).collect();
        let mut y = vec![0f32; x.len()];
        f.values(&x, &mut y);
        x.iter().zip(&y).fold(0.0f64, |m, (x, y)| m.max(ulp32(*y, exact(f64::from(*x)))))
    };
    let worst64 = |f: Activation, low: f64, high: f64, exact: &dyn Fn(f64) -> f64| {
        let x: Vec<f64> = grid(low, high).collect();
        let mut y = vec![0f64; x.len()];
        f.values(&x, &mut y);
        // The library's own error, half a unit or so, is included.
        x.iter()
            .zip(&y)
            .fold(0.0f64, |m, (x, y)| m.max((y - exact(*x)).abs() / (exact(*x).abs() * f64::EPSILON)))
    };
    type Case<'a> = (Activation, f64, f64, &'a dyn Fn(f64) -> f64, f64);
    let table: [Case; 5] = [
        (Activation::Exp, -87.0, 88.0, &f64::exp, 2.0),
        (Activation::Tanh, -12.0, 12.0, &f64::tanh, 4.0),
        (Activation::Sigmoid, -80.0, 80.0, &|x| 1.0 / (1.0 + (-x).exp()), 4.0),
        (Activation::Elu(1.0), -20.0, -1e-4, &f64::exp_m1, 4.0),
        (Activation::Softplus, -80.0, 80.0, &|x| x.max(0.0) + (-x.abs()).exp().ln_1p(), 4.0),
    ];
    for (f, low, high, exact, bound) in table {
        let (s, d) = (worst32(f, low, high, exact), worst64(f, low, high, exact));
        println!("{f:?}: {s:.2} units in f32, {d:.2} in f64");
        assert!(s < bound && d < bound, "{f:?} {s} {d}");
    }
    // Against 1 where the function passes through zero.
    let absolute = |f: Activation, low: f64, high: f64, exact: &dyn Fn(f64) -> f64| {
        let x: Vec<f64> = grid(low, high).collect();
        let mut y = vec![0f64; x.len()];
        f.values(&x, &mut y);
        let d = x.iter().zip(&y).fold(0.0f64, |m, (x, y)| m.max((y - exact(*x)).abs())) / f64::EPSILON;
        let x: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let mut y = vec![0f32; x.len()];
        f.values(&x, &mut y);
        let s =
            x.iter().zip(&y).fold(0.0f64, |m, (x, y)| m.max((f64::from(*y) - exact(f64::from(*x))).abs()))
                / f64::from(f32::EPSILON);
        println!("{f:?} on {low} .. {high}: {s:.2} f32 units of 1, {d:.2} f64 units of 1");
        s.max(d)
    };
    assert!(absolute(Activation::Sin, -1e4, 1e4, &f64::sin) < 1.5);
    assert!(absolute(Activation::Cos, -1e4, 1e4, &f64::cos) < 1.5);
    assert!(absolute(Activation::Sin, -1e7, 1e7, &f64::sin) < 1.5);
    // gelu through candle's erf in f64.
    let x = uniform("x", &[10_000], -5.0, 5.0);
    let exact = ((x.affine(std::f64::consts::FRAC_1_SQRT_2, 0.0).unwrap().erf().unwrap() + 1.0).unwrap()
        * (&x * 0.5).unwrap())
    .unwrap();
    let e =
        (gelu(&x).unwrap() - exact).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
    println!("gelu: {e:.1e}");
    assert!(e < 2e-15);
}

#[test]
fn special_values_pass_through() {
    use Activation::*;
    for f in
        [Relu, LeakyRelu(0.1), Elu(1.0), Gelu, GeluTanh, Silu, Tanh, Sigmoid, Softplus, Softsign, Sin, Exp]
    {
        let mut y = [0f32; 1];
        f.values(&[f32::NAN], &mut y);
        assert!(y[0].is_nan(), "{f:?}");
        let mut y = [0f64; 1];
        f.values(&[f64::NAN], &mut y);
        assert!(y[0].is_nan(), "{f:?}");
    }
    let mut y = [0f32; 4];
    Exp.values(&[f32::INFINITY, f32::NEG_INFINITY, 100.0, -100.0], &mut y);
    assert_eq!(y, [f32::INFINITY, 0.0, f32::INFINITY, (-100f32).exp()]);
    Tanh.values(&[f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0], &mut y);
    assert_eq!(y, [1.0, -1.0, 0.0, 0.0]);
    let rows = Tensor::new(&[[f64::NEG_INFINITY, f64::NEG_INFINITY], [0.0, f64::NEG_INFINITY]], &Device::Cpu)
        .unwrap();
    assert_eq!(softmax(&rows).unwrap().to_vec2::<f64>().unwrap(), [[0.0, 0.0], [1.0, 0.0]]);
}

#[test]
fn results_agree_with_candle_where_it_is_right() {
    let close = |a: Tensor, b: Tensor| {
        let e = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(e < 1e-12, "{e}");
    };
    let (x, k) = (u("x", &[3, 4, 11, 9]), u("k", &[6, 2, 3, 3]));
    close(
        conv2d(&x, &k, None, &Conv::padded(1).stride(2).groups(2)).unwrap(),
        x.conv2d(&k, 1, 2, 1, 2).unwrap(),
    );
    let k = u("k", &[4, 6, 3, 3]);
    close(
        conv_transpose2d(&x, &k, None, &Conv::padded(1).stride(2), (1, 1)).unwrap(),
        x.conv_transpose2d(&k, 1, 1, 2, 1).unwrap(),
    );
    close(max_pool2d(&x, (3, 2), (2, 1), (0, 0)).unwrap(), x.max_pool2d_with_stride((3, 2), (2, 1)).unwrap());
    close(avg_pool2d(&x, (3, 2), (2, 1), (0, 0)).unwrap(), x.avg_pool2d_with_stride((3, 2), (2, 1)).unwrap());
    close(upsample_nearest(&x, 22, 27).unwrap(), x.upsample_nearest2d(22, 27).unwrap());
    let powers = x.exp().unwrap();
    let shares = powers.broadcast_div(&powers.sum_keepdim(D::Minus1).unwrap()).unwrap();
    close(softmax(&x).unwrap(), shares.clone());
    close(log_softmax(&x).unwrap(), shares.log().unwrap());
    let (g, b, eps) = (u("g", &[9]), u("b", &[9]), 1e-5);
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1).unwrap()).unwrap();
    let variance = centred.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
    let unit = centred.broadcast_div(&(variance + eps).unwrap().sqrt().unwrap()).unwrap();
    close(
        layer_norm(&x, &g, Some(&b), eps).unwrap(),
        unit.broadcast_mul(&g).unwrap().broadcast_add(&b).unwrap(),
    );
}

#[test]
fn adam_follows_its_equations() {
    for decoupled in [true, false] {
        let w = Var::from_tensor(&u("w", &[77])).unwrap();
        let (mut m, mut v) = (Slot::zeros(&w).unwrap(), Slot::zeros(&w).unwrap());
        let rule = Adam { rate: 0.01, decay: 0.1, decoupled, ..Adam::default() };
        let mut plain: Vec<[f64; 3]> =
            w.to_vec1::<f64>().unwrap().into_iter().map(|x| [x, 0.0, 0.0]).collect();
        for step in 1..5u64 {
            let g = u(&format!("g{step}"), &[77]);
            adam(&w, &g, &mut m, &mut v, &rule, step, 0.5).unwrap();
            for (p, g) in plain.iter_mut().zip(g.to_vec1::<f64>().unwrap()) {
                let [x, m, v] = *p;
                let g = 0.5 * g + if decoupled { 0.0 } else { 0.1 * x };
                let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
                let (mh, vh) = (m / (1.0 - 0.9f64.powi(step as i32)), v / (1.0 - 0.999f64.powi(step as i32)));
                let x = if decoupled { x * (1.0 - 0.01 * 0.1) } else { x };
                *p = [x - 0.01 * mh / (vh.sqrt() + 1e-8), m, v];
            }
        }
        for (a, b) in w.to_vec1::<f64>().unwrap().iter().zip(&plain) {
            assert!((a - b[0]).abs() < 1e-13);
        }
    }
}

#[test]
fn sgd_and_axpby_follow_their_equations() {
    let w = Var::from_tensor(&u("w", &[9])).unwrap();
    let start = w.to_vec1::<f64>().unwrap();
    let mut v = Slot::zeros(&w).unwrap();
    let g = u("g", &[9]);
    let rule = Sgd { rate: 0.1, momentum: 0.9, decay: 0.0, nesterov: false };
    sgd(&w, &g, &mut v, &rule, 1.0).unwrap();
    sgd(&w, &g, &mut v, &rule, 1.0).unwrap();
    axpby(&w, 2.0, &g, 3.0).unwrap();
    for ((a, s), g) in w.to_vec1::<f64>().unwrap().iter().zip(start).zip(g.to_vec1::<f64>().unwrap()) {
        assert!((a - (3.0 * (s - 0.1 * g - 0.1 * 1.9 * g) + 2.0 * g)).abs() < 1e-14);
    }
    assert!(
        (norm(&[g.clone(), g.clone()]).unwrap().powi(2)
            - 2.0 * dot(std::slice::from_ref(&g), std::slice::from_ref(&g)).unwrap())
        .abs()
            < 1e-14
    );
}

#[test]
fn deep_graphs_are_safe() {
    let x = Var::from_tensor(&Tensor::new(&[1.0f64], &Device::Cpu).unwrap()).unwrap();
    let g = deep(|| -> Result<f64> {
        let mut y = x.as_tensor().clone();
        for _ in 0..200_000 {
            y = (y + 0.0)?;
        }
        gradients(&y, std::slice::from_ref(&x))?[0].get(0)?.to_scalar()
    });
    assert_eq!(g.unwrap().unwrap(), 1.0);
}

#[test]
fn wrong_shapes_are_named() {
    let x = u("x", &[2, 3, 4, 4]);
    for e in [
        conv2d(&x, &u("k", &[2, 2, 3, 3]), None, &Conv::default()).unwrap_err(),
        conv2d(&x, &u("k", &[2, 3, 5, 5]), None, &Conv::default()).unwrap_err(),
        linear(&x, &u("k", &[2, 3]), None).unwrap_err(),
        embedding(&tokens(&[9], &[1]), &u("t", &[3, 2])).unwrap_err(),
        self_attention(&u("q", &[1, 2, 9]), 2, &Mask::default()).unwrap_err(),
        group_norm(&x, &u("g", &[3]), &u("g", &[3]), 2, 1e-5).unwrap_err(),
        max_pool2d(&x, (5, 5), (1, 1), (0, 0)).map(|t| t.sum_all()).unwrap_err(),
    ] {
        let e = e.to_string();
        assert!(e.contains("expected") && e.contains("found"), "{e}");
    }
}

#[test]
fn sums_of_many_numbers_stay_accurate() {
    let x = (Tensor::ones(2_000_000, DType::F32, &Device::Cpu).unwrap() * 0.1).unwrap();
    let s = sum_all(&x).unwrap().to_scalar::<f32>().unwrap();
    assert!((s - 200_000.0).abs() < 0.1, "{s}");
}

#[test]
fn batch_statistics_are_those_of_the_batch() {
    let x = u("x", &[4, 2, 3]);
    let one = Tensor::ones(2, DType::F64, &Device::Cpu).unwrap();
    let b = batch_norm(&x, &one, &one.zeros_like().unwrap(), 1e-5).unwrap();
    let (m, v) = (b.mean.to_vec1::<f64>().unwrap(), b.variance.to_vec1::<f64>().unwrap());
    for c in 0..2 {
        let x: Vec<f64> = x.narrow(1, c, 1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let mean = x.iter().sum::<f64>() / 12.0;
        assert!((m[c] - mean).abs() < 1e-14);
        assert!((v[c] - x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 11.0).abs() < 1e-13);
    }
}
