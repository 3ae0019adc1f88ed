//! Comma-separated values as a table for the eye.

/// Lays out CSV (RFC 4180) with its header as columns side by side; numbers stand to the right.
pub(super) fn render(csv: &str) -> String {
    let rows = parse(csv);
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| row.get(column).map(|text| printable(text)).unwrap_or_default();
    let width = |column| rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let is_number = |column: usize| {
        let mut values =
            rows.iter().skip(1).filter_map(|row| row.get(column)).filter(|text| !text.is_empty()).peekable();
        values.peek().is_some() && values.all(|text| text.parse::<f64>().is_ok())
    };
    let numbers: Vec<bool> = (0..columns).map(is_number).collect();
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = (0..columns).map(|column| {
            let (text, width) = (cell(row, column), widths[column]);
            if numbers[column] { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
        if at == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            out.push_str(&rule.join("  "));
            out.push('\n');
        }
    }
    let count = rows.len().saturating_sub(1);
    out.push_str(&format!("({count} {})\n", if count == 1 { "row" } else { "rows" }));
    out
}

/// A label value may hold anything: nothing of it may move the cursor or change a colour.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn parse(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, csv.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}
