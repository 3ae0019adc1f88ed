use super::*;

#[test]
fn every_column_of_the_tables_is_in_its_view() {
    for table in [Table::Logs, Table::Spans] {
        let view = View::of(table);
        let mut places: Vec<usize> = view.columns.iter().map(|column| column.physical).collect();
        places.sort_unstable();
        assert_eq!(places, (0..table.schema().fields().len()).collect::<Vec<_>>(), "{}", table.name());
    }
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id: [u8; 16] = std::array::from_fn(|at| (at * 17) as u8);
    let mut text = String::new();
    write_hex(&id, &mut text);
    assert_eq!(text, "00112233445566778899aabbccddeeff");
    assert_eq!(read_hex(&text), Some(id));
    assert_eq!(read_hex::<16>(&text.to_uppercase()), None, "which no id is equal to");
    assert_eq!((read_hex::<8>(&text), read_hex::<1>("0g"), read_hex::<1>("0")), (None, None, None));
}
