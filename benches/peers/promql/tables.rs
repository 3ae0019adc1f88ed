//! What was found, as tables: for each measure a line a question, and at the end the geometric means of the ratios.

use super::contender::Contender;
use super::data::Data;
use super::fill::Filled;
use super::{Figures, Row};
use crate::Fault;
use crate::markdown::{self, Table};

/// A measure: what it is, how it is read, and the least that is no mere rounding.
type Measure = (&'static str, fn(&Figures) -> f64, f64);

const MEASURES: [Measure; 5] = [
    ("Milliseconds, median of ten", |figures| figures.warm_ms, 0.0),
    ("Milliseconds of the first answer after a restart", |figures| figures.cold_ms, 0.0),
    ("Milliseconds from the start of the process to that answer", |figures| figures.start_ms + figures.cold_ms, 0.0),
    ("Milliseconds of CPU an answer", |figures| figures.cpu_ms, TICK_MS),
    ("MB of memory at most", |figures| figures.peak_mb, 0.0),
];
/// The kernel counts CPU time in steps of ten milliseconds, and ten answers share one.
const TICK_MS: f64 = 1.0;

pub(super) fn report(data: &Data, filled: &[Filled], rows: &[Row]) -> Result<String, Fault> {
    let mut text = format!("{}\n\n{data}. ", markdown::origin()?);
    let pushed = Contender::ALL.iter().zip(filled).map(|(contender, Filled { cpu_seconds, disk_bytes })| {
        format!("{}: {cpu_seconds:.0} s of CPU to take them, {:.0} MB on disk", contender.name(), disk_bytes / 1e6)
    });
    text += &pushed.collect::<Vec<_>>().join("; ");
    text += ". A ratio below 1 says that ours needs less.\n";
    for measure in MEASURES {
        text += &format!("\n**{}**\n\n{}", measure.0, table(measure, rows));
    }
    Ok(text)
}

fn table((_, read, least): Measure, rows: &[Row]) -> Table {
    let [ours, prometheus, victoria] = Contender::ALL.map(Contender::name);
    let mut table = Table::new(["", ours, prometheus, victoria, "ours/Prometheus", "ours/VictoriaMetrics"]);
    let mut logarithms = [0.0; 2];
    for Row { what, figures } in rows {
        let mut values = Contender::ALL.map(|contender| figures.get(contender as usize).map_or(f64::NAN, read));
        let shown = values.map(number);
        values.iter_mut().for_each(|value| *value = value.max(least));
        let ratios = [values[0] / values[1], values[0] / values[2]];
        logarithms.iter_mut().zip(ratios).for_each(|(sum, ratio)| *sum += ratio.ln());
        let [ours, prometheus, victoria] = shown;
        let [of_prometheus, of_victoria] = ratios.map(|ratio| format!("**{ratio:.2}**"));
        table.row([(*what).to_owned(), ours, prometheus, victoria, of_prometheus, of_victoria]);
    }
    let means = logarithms.map(|sum| format!("**{:.2}**", (sum / rows.len() as f64).exp()));
    let [of_prometheus, of_victoria] = means;
    let none = String::new;
    table.row(["geometric mean".to_owned(), none(), none(), none(), of_prometheus, of_victoria]);
    table
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
