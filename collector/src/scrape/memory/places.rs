//! Where in a list something is, by its hash: a table of places alone, since the list has the hashes.

use hashbrown::HashTable;

/// What has a hash.
pub(super) trait Hashed {
    /// The hash, of which no two in a list are equal.
    fn hash(&self) -> u128;
}

/// The places of a list.
#[derive(Debug, Default)]
pub(super) struct Places(HashTable<u32>);

impl Places {
    /// Those of a whole list.
    pub(super) fn of(list: &[impl Hashed]) -> Self {
        let mut places = Places(HashTable::with_capacity(list.len()));
        (0..list.len()).for_each(|place| places.insert(place, list));
        places
    }

    /// Takes in what was pushed to the list.
    pub(super) fn pushed(&mut self, list: &[impl Hashed]) {
        self.insert(list.len() - 1, list);
    }

    fn insert(&mut self, place: usize, list: &[impl Hashed]) {
        self.0.insert_unique(list[place].hash() as u64, place as u32, |place| list[*place as usize].hash() as u64);
    }

    /// The place of what has this hash.
    pub(super) fn find(&self, hash: u128, list: &[impl Hashed]) -> Option<usize> {
        let place = self.0.find(hash as u64, |place| list[*place as usize].hash() == hash);
        place.map(|place| *place as usize)
    }
}

/// Gives back most of the room that a list got while it grew.
pub(super) fn trim<T>(list: &mut Vec<T>) {
    list.shrink_to(list.len() + list.len() / 8);
}
