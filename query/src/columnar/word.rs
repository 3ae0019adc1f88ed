//! `has_word(text, 'word')` in SQL: whether a text has a word, which blocks of `logs` can tell without a look at their lines.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, ByteView, MAX_INLINE_VIEW_LEN, StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use storage::block::filters::words::{self, Finder};

/// The name of the function.
pub(crate) const NAME: &str = "has_word";

/// `has_word(text, 'word')`: whether one of the words of a text is this one, in the same case. A word is a run of letters,
/// digits and underscores; what is no ASCII counts as letters.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct HasWord {
    signature: Signature,
}

impl HasWord {
    /// The function, ready to be registered.
    pub(crate) fn udf() -> Arc<ScalarUDF> {
        let signature = Signature::new(TypeSignature::String(2), Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(HasWord { signature }))
    }
}

impl ScalarUDFImpl for HasWord {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [_, _] => Ok(DataType::Boolean),
            _ => plan_err!("{NAME} takes a text and a word: {NAME}(body, 'timeout')"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, ColumnarValue::Scalar(word)] = args.args.as_slice() else {
            return exec_err!("the word of {NAME} must be a literal text");
        };
        let Some(word) = word.try_as_str() else { return exec_err!("the word of {NAME} must be a literal text") };
        let texts = text.to_array(args.number_rows)?;
        let found = match word {
            Some(word) if is_word(word) => find(&as_views(&texts)?, &Finder::new(word)),
            Some(word) => return exec_err!("{word:?} is no word: a word is letters, digits and underscores"),
            None => BooleanArray::new_null(texts.len()),
        };
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

/// Whether a text is one word.
pub(crate) fn is_word(text: &str) -> bool {
    words::words(text).next().is_some_and(|word| word.len() == text.len())
}

fn as_views(texts: &ArrayRef) -> Result<StringViewArray> {
    let texts = match texts.data_type() {
        DataType::Utf8View => Arc::clone(texts),
        _ => cast(texts, &DataType::Utf8View)?,
    };
    Ok(texts.as_string_view().clone())
}

/// Bytes that may lie between two texts that are searched in one go, such as their lengths.
const GAP: usize = 64;

/// Which texts have the word.
///
/// Texts that lie one behind the other in memory, as those of a page do, are searched as if they were one: to begin anew with
/// each takes longer than to look through a short one.
fn find(texts: &StringViewArray, word: &Finder<'_>) -> BooleanArray {
    let mut found = BooleanBufferBuilder::new(texts.len());
    found.append_n(texts.len(), false);
    let mut run = Run::default();
    for (row, view) in texts.views().iter().enumerate() {
        let view = ByteView::from(*view);
        // What a null points to is never looked at.
        if texts.is_null(row) {
            continue;
        }
        if view.length <= MAX_INLINE_VIEW_LEN {
            found.set_bit(row, word.is_in(texts.value(row).as_bytes()));
            continue;
        }
        let (start, end) = (view.offset as usize, view.offset as usize + view.length as usize);
        if !run.takes(view.buffer_index, start) {
            run.search(texts, word, &mut found);
            run.buffer = view.buffer_index;
        }
        run.texts.push((row, start..end));
    }
    run.search(texts, word, &mut found);
    BooleanArray::new(found.finish(), texts.nulls().cloned())
}

/// Texts one behind the other in a buffer: row and place of each.
#[derive(Debug, Default)]
struct Run {
    buffer: u32,
    texts: Vec<(usize, Range<usize>)>,
}

impl Run {
    fn takes(&self, buffer: u32, start: usize) -> bool {
        let follows = |(_, last): &(usize, Range<usize>)| last.end <= start && start - last.end <= GAP;
        self.buffer == buffer && self.texts.last().is_some_and(follows)
    }

    /// Marks the rows that have the word, and forgets them all.
    fn search(&mut self, texts: &StringViewArray, word: &Finder<'_>, found: &mut BooleanBufferBuilder) {
        let (Some((_, first)), Some((_, last))) = (self.texts.first(), self.texts.last()) else { return };
        let (bytes, mut from) = (&texts.data_buffers()[self.buffer as usize][..last.end], first.start);
        let mut left = self.texts.iter().peekable();
        while let Some(at) = word.next(&bytes[from..]).map(|hit| from + hit) {
            while left.next_if(|(_, text)| text.end <= at).is_some() {}
            let Some((row, text)) = left.peek() else { break };
            // One that begins between two texts is in neither.
            let has_word = at >= text.start && word.is_whole(&bytes[text.clone()], at - text.start);
            from = if has_word { text.end } else { at + 1 };
            if has_word {
                found.set_bit(*row, true);
            }
        }
        self.texts.clear();
    }
}

#[cfg(test)]
mod tests;
