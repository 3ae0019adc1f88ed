//! The columns that rows have from their resource and scope.

use arrow::array::ArrayRef;
use model::Error;
use model::resource::{Resource, Scope};
use model::shared::Shared;

use super::words::Words;
use crate::block::labels::maps;
use crate::block::texts::Texts;

/// What the rows of a block come from, row by row.
#[derive(Default)]
pub(crate) struct Origins {
    clusters: Texts,
    services: Texts,
    words: Words,
    resources: Shared<Resource>,
    scopes: Shared<Scope>,
    /// Of each resource the places of its columns, and of names and values of its attributes.
    known: Vec<Known>,
    /// Of each scope the places of name and version.
    known_scopes: Vec<[i32; 2]>,
    rows: Vec<u32>,
    scope_rows: Vec<u32>,
}

struct Known {
    /// Namespace, pod, container, node.
    columns: [i32; 4],
    names: Vec<i32>,
    values: Vec<i32>,
}

/// The places here of the resources and scopes of a batch.
pub(crate) struct OriginPlaces {
    resources: Vec<u32>,
    scopes: Vec<u32>,
}

/// The columns that [`Origins::take`] makes.
pub(crate) struct OriginColumns {
    /// Namespace, pod, container, node.
    pub(crate) columns: [ArrayRef; 4],
    pub(crate) scope_name: ArrayRef,
    pub(crate) scope_version: ArrayRef,
    pub(crate) resource: ArrayRef,
}

impl Origins {
    /// Takes over resources and scopes of a batch.
    pub(crate) fn adopt(&mut self, resources: &Shared<Resource>, scopes: &Shared<Scope>) -> OriginPlaces {
        let places =
            OriginPlaces { resources: self.resources.places_of(resources), scopes: self.scopes.places_of(scopes) };
        let words = &mut self.words;
        for resource in self.resources.iter().skip(self.known.len()) {
            let [_, namespace, pod, container, node, _] = resource.columns();
            let columns = [namespace, pod, container, node].map(|text| words.place(text));
            let attributes = resource.attributes.iter().map(|(name, value)| (words.place(name), words.place(value)));
            let (names, values) = attributes.unzip();
            self.known.push(Known { columns, names, values });
        }
        for scope in self.scopes.iter().skip(self.known_scopes.len()) {
            self.known_scopes.push([words.place(&scope.name), words.place(&scope.version)]);
        }
        places
    }

    /// Adds a row, by the places that its batch has for resource and scope.
    pub(crate) fn push(&mut self, resource: u32, scope: u32, places: &OriginPlaces) {
        let place = places.resources[resource as usize];
        if let Some(resource) = self.resources.get(place) {
            self.clusters.push(&resource.cluster, 1);
            self.services.push(&resource.service, 1);
        }
        self.rows.push(place);
        self.scope_rows.push(places.scopes[scope as usize]);
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Cluster and service.
    pub(crate) fn keys(&mut self) -> [&mut Texts; 2] {
        [&mut self.clusters, &mut self.services]
    }

    /// The columns so far; starts the next.
    ///
    /// # Errors
    /// `Internal` if they do not fit together.
    pub(crate) fn take(&mut self) -> Result<OriginColumns, Error> {
        let (rows, scopes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.scope_rows));
        let (known, known_scopes, words) = (&self.known, &self.known_scopes, &mut self.words);
        let mut column = |at: usize| words.column(rows.iter().map(|row| known[*row as usize].columns[at]).collect());
        let columns = [column(0)?, column(1)?, column(2)?, column(3)?];
        let mut scope = |at: usize| words.column(scopes.iter().map(|row| known_scopes[*row as usize][at]).collect());
        let (scope_name, scope_version) = (scope(0)?, scope(1)?);
        let (mut names, mut values, mut ends) = (Vec::new(), Vec::new(), Vec::with_capacity(rows.len()));
        for row in &rows {
            let known = &known[*row as usize];
            names.extend_from_slice(&known.names);
            values.extend_from_slice(&known.values);
            ends.push(names.len() as i32);
        }
        let resource = maps(words.column(names)?, words.column(values)?, ends)?;
        Ok(OriginColumns { columns, scope_name, scope_version, resource })
    }
}
