//! Limited-memory BFGS (Nocedal & Wright, algorithm 7.5) with a backtracking line search on the strong decrease only:
//! the objectives here are convex and smooth.

/// How many past steps shape the next one.
const MEMORY: usize = 6;

/// Minimises a convex function from `x`, which is left at the best point. `evaluate` writes the gradient and returns the
/// value. Stops after `iterations` or when the gradient has shrunk to `tolerance` of its first norm. Deterministic.
pub fn minimize(
    x: &mut [f32],
    iterations: usize,
    tolerance: f64,
    mut evaluate: impl FnMut(&[f32], &mut [f32]) -> f64,
) {
    let n = x.len();
    let mut gradient = vec![0.0; n];
    let mut value = evaluate(x, &mut gradient);
    let first_norm = dot(&gradient, &gradient).sqrt();
    let mut history: std::collections::VecDeque<(Vec<f32>, Vec<f32>, f64)> = Default::default();
    let mut direction = vec![0.0; n];
    let mut next = vec![0.0; n];
    let mut next_gradient = vec![0.0; n];
    for iteration in 0..iterations {
        let norm = dot(&gradient, &gradient).sqrt();
        if norm <= tolerance * first_norm || norm == 0.0 {
            return;
        }
        descend(&gradient, &history, &mut direction);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            history.clear();
            descend(&gradient, &history, &mut direction);
            slope = dot(&direction, &gradient);
        }
        let mut step = if iteration == 0 {
            1.0 / norm.max(1.0)
        } else {
            1.0
        };
        let mut accepted = false;
        for _ in 0..30 {
            for ((to, from), d) in next.iter_mut().zip(x.iter()).zip(&direction) {
                *to = from + step as f32 * d;
            }
            let candidate = evaluate(&next, &mut next_gradient);
            if candidate <= value + 1e-4 * step * slope {
                value = candidate;
                accepted = true;
                break;
            }
            step *= 0.5;
        }
        if !accepted {
            return;
        }
        let s: Vec<f32> = next.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
        let y: Vec<f32> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        let curvature = dot(&s, &y);
        if curvature > 1e-12 {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back((s, y, curvature));
        }
        x.copy_from_slice(&next);
        std::mem::swap(&mut gradient, &mut next_gradient);
    }
}

/// The two-loop recursion: minus the gradient, shaped by the remembered steps.
fn descend(
    gradient: &[f32],
    history: &std::collections::VecDeque<(Vec<f32>, Vec<f32>, f64)>,
    direction: &mut [f32],
) {
    for (d, g) in direction.iter_mut().zip(gradient) {
        *d = -g;
    }
    let mut alphas = Vec::with_capacity(history.len());
    for (s, y, curvature) in history.iter().rev() {
        let alpha = dot(s, direction) / curvature;
        add(direction, y, -alpha as f32);
        alphas.push(alpha);
    }
    if let Some((_, y, curvature)) = history.back() {
        let scale = (curvature / dot(y, y)) as f32;
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((s, y, curvature), alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, direction) / curvature;
        add(direction, s, (alpha - beta) as f32);
    }
}

fn add(to: &mut [f32], from: &[f32], factor: f32) {
    for (a, b) in to.iter_mut().zip(from) {
        *a += factor * b;
    }
}

/// Sums in blocks of fixed size, so that the result is the same on every machine and accurate in `f32`.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    a.chunks(4096)
        .zip(b.chunks(4096))
        .map(|(a, b)| {
            let mut lanes = [0f32; LANES];
            let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
            for (x, y) in a.by_ref().zip(b.by_ref()) {
                for lane in 0..LANES {
                    lanes[lane] += x[lane] * y[lane];
                }
            }
            let rest: f32 = a
                .remainder()
                .iter()
                .zip(b.remainder())
                .map(|(x, y)| x * y)
                .sum();
            f64::from(lanes.iter().sum::<f32>() + rest)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_is_minimised_to_its_bottom() {
        let mut x = vec![3.0, -2.0, 8.0];
        minimize(&mut x, 100, 1e-7, |x, gradient| {
            let mut value = 0.0;
            for (i, (x, g)) in x.iter().zip(gradient.iter_mut()).enumerate() {
                let scale = (i * 10 + 1) as f32;
                value += f64::from(scale * (x - 1.0) * (x - 1.0));
                *g = 2.0 * scale * (x - 1.0);
            }
            value
        });
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-3), "{x:?}");
    }
}
