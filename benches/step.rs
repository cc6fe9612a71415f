//! CPU time of one training step (forward, backward, AdamW) of the usual networks, written on the
//! operations directly: process CPU milliseconds, the least of several runs, single precision.
//! `RAYON_NUM_THREADS=1 cargo bench --bench step [-- name ..]`; beside it `peers/networks/step_torch.py`.

use candle_core::{DType, Device, Result, Tensor, Var};
use phys::networks::ops::{self, Adam, Conv, Mask, Slot};
use rand::RngExt as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes and lists variables; numbers from one stream.
struct Maker {
    rng: phys::base::random::Rng,
    variables: Vec<Var>,
}

impl Maker {
    fn new() -> Maker {
        Maker { rng: phys::base::random::Streams::new(1).stream("step"), variables: Vec::new() }
    }
    fn data(&mut self, shape: &[usize]) -> Result<Tensor> {
        let n = shape.iter().product();
        let v: Vec<f32> = (0..n).map(|_| self.rng.random_range(-1.0f32..1.0)).collect();
        Tensor::from_vec(v, shape, &Device::Cpu)
    }
    fn tokens(&mut self, shape: &[usize], below: u32) -> Result<Tensor> {
        let n = shape.iter().product();
        let v: Vec<u32> = (0..n).map(|_| self.rng.random_range(0..below)).collect();
        Tensor::from_vec(v, shape, &Device::Cpu)
    }
    fn weight(&mut self, shape: &[usize], fan: usize) -> Result<Tensor> {
        let v = Var::from_tensor(&(self.data(shape)? * (3.0 / fan as f64).sqrt())?)?;
        self.variables.push(v.clone());
        Ok(v.as_tensor().clone())
    }
    fn constant(&mut self, n: usize, value: f64) -> Result<Tensor> {
        let v = Var::from_tensor(&(Tensor::ones(n, DType::F32, &Device::Cpu)? * value)?)?;
        self.variables.push(v.clone());
        Ok(v.as_tensor().clone())
    }
    fn linear(&mut self, i: usize, o: usize) -> Result<impl Fn(&Tensor) -> Result<Tensor> + use<>> {
        let (w, b) = (self.weight(&[o, i], i)?, self.constant(o, 0.0)?);
        Ok(move |x: &Tensor| ops::linear(x, &w, Some(&b)))
    }
    fn conv(
        &mut self,
        i: usize,
        o: usize,
        k: usize,
        conv: Conv,
        bias: bool,
    ) -> Result<impl Fn(&Tensor) -> Result<Tensor> + use<>> {
        let w = self.weight(&[o, i, k, k], i * k * k)?;
        let b = if bias { Some(self.constant(o, 0.0)?) } else { None };
        Ok(move |x: &Tensor| ops::conv2d(x, &w, b.as_ref(), &conv))
    }
    fn batch_norm(&mut self, c: usize) -> Result<impl Fn(&Tensor) -> Result<Tensor> + use<>> {
        let (g, b) = (self.constant(c, 1.0)?, self.constant(c, 0.0)?);
        Ok(move |x: &Tensor| Ok(ops::batch_norm(x, &g, &b, 1e-5)?.y))
    }
    fn layer_norm(&mut self, n: usize) -> Result<impl Fn(&Tensor) -> Result<Tensor> + use<>> {
        let (g, b) = (self.constant(n, 1.0)?, self.constant(n, 0.0)?);
        Ok(move |x: &Tensor| ops::layer_norm(x, &g, Some(&b), 1e-5))
    }
}

type Layer = Box<dyn Fn(&Tensor) -> Result<Tensor> + Send>;
type Loss = Box<dyn Fn() -> Result<Tensor> + Send>;
type Network = Result<(Vec<Var>, Loss)>;
/// Name, network, number of runs.
type Row = (&'static str, fn() -> Network, usize);

fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    ops::mean_all(&ops::pick(&ops::log_softmax(logits)?, classes)?)?.neg()
}

fn mlp() -> Network {
    let mut m = Maker::new();
    let (a, b, c) = (m.linear(784, 512)?, m.linear(512, 512)?, m.linear(512, 10)?);
    let (x, y) = (m.data(&[128, 784])?, m.tokens(&[128], 10)?);
    Ok((m.variables, Box::new(move || cross_entropy(&c(&ops::relu(&b(&ops::relu(&a(&x)?)?)?)?)?, &y))))
}

fn resnet(channels: usize, size: usize, blocks: usize) -> Network {
    let mut m = Maker::new();
    let (stem, stem_norm) = (m.conv(channels, 16, 3, Conv::padded(1), false)?, m.batch_norm(16)?);
    let mut layers: Vec<Layer> = Vec::new();
    let mut from = 16;
    for width in [16, 32, 64] {
        for block in 0..blocks {
            let stride = if width > 16 && block == 0 { 2 } else { 1 };
            let (c1, n1) =
                (m.conv(from, width, 3, Conv::padded(1).stride(stride), false)?, m.batch_norm(width)?);
            let (c2, n2) = (m.conv(width, width, 3, Conv::padded(1), false)?, m.batch_norm(width)?);
            let short = match stride {
                1 => None,
                _ => Some((
                    m.conv(from, width, 1, Conv::default().stride(stride), false)?,
                    m.batch_norm(width)?,
                )),
            };
            layers.push(Box::new(move |x| {
                let y = n2(&c2(&ops::relu(&n1(&c1(x)?)?)?)?)?;
                let x = match &short {
                    Some((c, n)) => n(&c(x)?)?,
                    None => x.clone(),
                };
                ops::relu(&(y + x)?)
            }));
            from = width;
        }
    }
    let head = m.linear(64, 10)?;
    let (x, y) = (m.data(&[32, channels, size, size])?, m.tokens(&[32], 10)?);
    Ok((
        m.variables,
        Box::new(move || {
            let mut h = ops::relu(&stem_norm(&stem(&x)?)?)?;
            for l in &layers {
                h = l(&h)?;
            }
            cross_entropy(&head(&ops::global_avg_pool(&h)?)?, &y)
        }),
    ))
}

type Block = Box<dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send>;

/// Pre-norm block of a transformer: self attention, attention to a memory if told, two-layer map.
fn block(m: &mut Maker, d: usize, heads: usize, ff: usize, causal: bool, memory: bool) -> Result<Block> {
    let (n1, qkv, out) = (m.layer_norm(d)?, m.linear(d, 3 * d)?, m.linear(d, d)?);
    let cross = match memory {
        true => Some((m.layer_norm(d)?, m.linear(d, d)?, m.linear(d, d)?, m.linear(d, d)?, m.linear(d, d)?)),
        false => None,
    };
    let (n2, up, down) = (m.layer_norm(d)?, m.linear(d, ff)?, m.linear(ff, d)?);
    let mask = Mask { added: None, causal };
    Ok(Box::new(move |x, memory| {
        let mut x = (x + out(&ops::self_attention(&qkv(&n1(x)?)?, heads, &mask)?)?)?;
        if let Some((n, q, k, v, o)) = &cross {
            let a = ops::attention(&q(&n(&x)?)?, &k(memory)?, &v(memory)?, heads, &Mask::default())?;
            x = (&x + o(&a)?)?;
        }
        let h = down(&ops::gelu(&up(&n2(&x)?)?)?)?;
        x + h
    }))
}

fn vit() -> Network {
    let mut m = Maker::new();
    let d = 128;
    let patch = m.conv(3, d, 8, Conv::default().stride(8), true)?;
    let place = m.weight(&[64, d], d)?;
    let blocks: Vec<Block> =
        (0..4).map(|_| block(&mut m, d, 4, 4 * d, false, false)).collect::<Result<_>>()?;
    let (norm, head) = (m.layer_norm(d)?, m.linear(d, 10)?);
    let (x, y) = (m.data(&[32, 3, 64, 64])?, m.tokens(&[32], 10)?);
    Ok((
        m.variables,
        Box::new(move || {
            let mut h = patch(&x)?.reshape((32, d, 64))?.transpose(1, 2)?.broadcast_add(&place)?;
            for b in &blocks {
                h = b(&h, &h)?;
            }
            cross_entropy(&head(&norm(&h)?.mean(1)?)?, &y)
        }),
    ))
}

fn encoder_decoder() -> Network {
    let mut m = Maker::new();
    let (d, vocabulary) = (256, 64);
    let (table, place) = (m.weight(&[vocabulary, d], d)?, m.weight(&[64, d], d)?);
    let encoder: Vec<Block> =
        (0..4).map(|_| block(&mut m, d, 8, 4 * d, false, false)).collect::<Result<_>>()?;
    let decoder: Vec<Block> =
        (0..4).map(|_| block(&mut m, d, 8, 4 * d, true, true)).collect::<Result<_>>()?;
    let (norm, head) = (m.layer_norm(d)?, m.linear(d, vocabulary)?);
    let (from, to) = (m.tokens(&[32, 64], vocabulary as u32)?, m.tokens(&[32, 64], vocabulary as u32)?);
    Ok((
        m.variables,
        Box::new(move || {
            let mut h = ops::embedding(&from, &table)?.broadcast_add(&place)?;
            for b in &encoder {
                h = b(&h, &h)?;
            }
            let mut y = ops::embedding(&to, &table)?.broadcast_add(&place)?;
            for b in &decoder {
                y = b(&y, &h)?;
            }
            cross_entropy(&head(&norm(&y)?)?, &to)
        }),
    ))
}

fn unet() -> Network {
    let mut m = Maker::new();
    let double = |i: usize, o: usize, m: &mut Maker| -> Result<_> {
        let (c1, n1) = (m.conv(i, o, 3, Conv::padded(1), false)?, m.batch_norm(o)?);
        let (c2, n2) = (m.conv(o, o, 3, Conv::padded(1), false)?, m.batch_norm(o)?);
        Ok(move |x: &Tensor| ops::relu(&n2(&c2(&ops::relu(&n1(&c1(x)?)?)?)?)?))
    };
    let (d1, d2, mid) = (double(1, 32, &mut m)?, double(32, 64, &mut m)?, double(64, 128, &mut m)?);
    let (u2, u1) = (double(128, 64, &mut m)?, double(64, 32, &mut m)?);
    let (w2, b2) = (m.weight(&[128, 64, 2, 2], 128)?, m.constant(64, 0.0)?);
    let (w1, b1) = (m.weight(&[64, 32, 2, 2], 64)?, m.constant(32, 0.0)?);
    let last = m.conv(32, 1, 1, Conv::default(), true)?;
    let (x, y) = (m.data(&[32, 1, 32, 32])?, m.data(&[32, 1, 32, 32])?);
    Ok((
        m.variables,
        Box::new(move || {
            let two = (2, 2);
            let up = Conv::default().stride(2);
            let a = d1(&x)?;
            let b = d2(&ops::max_pool2d(&a, two, two, (0, 0))?)?;
            let c = mid(&ops::max_pool2d(&b, two, two, (0, 0))?)?;
            let h = u2(&Tensor::cat(&[&b, &ops::conv_transpose2d(&c, &w2, Some(&b2), &up, (0, 0))?], 1)?)?;
            let h = u1(&Tensor::cat(&[&a, &ops::conv_transpose2d(&h, &w1, Some(&b1), &up, (0, 0))?], 1)?)?;
            ops::mean_all(&(last(&h)? - &y)?.sqr()?)
        }),
    ))
}

fn cpu_ms() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 * 1e3 + t.tv_nsec as f64 * 1e-6
}

fn run(name: &str, make: fn() -> Network, runs: usize) -> Result<()> {
    let (variables, loss) = make()?;
    let mut slots: Vec<(Slot, Slot)> =
        variables.iter().map(|v| Ok((Slot::zeros(v)?, Slot::zeros(v)?))).collect::<Result<_>>()?;
    let rule = Adam { decay: 0.01, ..Adam::default() };
    let (mut least, mut parts, mut losses) = (f64::INFINITY, [0.0; 3], [0.0f32; 2]);
    for step in 1..=runs {
        let t0 = cpu_ms();
        let l = loss()?;
        let t1 = cpu_ms();
        let gradients = ops::gradients(&l, &variables)?;
        let t2 = cpu_ms();
        for ((v, g), (m, s)) in variables.iter().zip(&gradients).zip(&mut slots) {
            ops::adam(v, g, m, s, &rule, step as u64, 1.0)?;
        }
        let t3 = cpu_ms();
        losses[usize::from(step > 1)] = l.to_scalar()?;
        drop((l, gradients));
        let total = cpu_ms() - t0;
        if total < least {
            (least, parts) = (total, [t1 - t0, t2 - t1, t3 - t2]);
        }
    }
    let n: usize = variables.iter().map(|v| v.elem_count()).sum();
    println!(
        "{name:<18}{least:9.1} ms  forward {:.1} backward {:.1} update {:.2}; {n} parameters, loss {:.3} -> {:.3}",
        parts[0], parts[1], parts[2], losses[0], losses[1]
    );
    Ok(())
}

fn main() -> Result<()> {
    phys::base::memory::keep_freed();
    let table: [Row; 7] = [
        ("mlp", mlp, 60),
        ("resnet8-32x32x3", || resnet(3, 32, 1), 30),
        ("resnet8-64x64x1", || resnet(1, 64, 1), 15),
        ("resnet20-32x32x3", || resnet(3, 32, 3), 15),
        ("vit-tiny", vit, 20),
        ("encoder-decoder", encoder_decoder, 6),
        ("unet", unet, 15),
    ];
    let chosen: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    ops::deep(|| {
        for (name, make, runs) in table {
            if chosen.is_empty() || chosen.iter().any(|c| name.starts_with(c.as_str())) {
                run(name, make, runs)?;
            }
        }
        Ok(())
    })?
}
