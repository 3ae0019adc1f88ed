//! `has_word(text, 'word')` in SQL: whether a text has a word, which blocks of `logs` can tell without a look at their lines.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use storage::block::filters::words;

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
            Some(word) if is_word(word) => find(&texts, word)?,
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

fn find(texts: &ArrayRef, word: &str) -> Result<BooleanArray> {
    let texts = match texts.data_type() {
        DataType::Utf8View => Arc::clone(texts),
        _ => cast(texts, &DataType::Utf8View)?,
    };
    Ok(texts.as_string_view().iter().map(|text| text.map(|text| words::has_word(text, word))).collect())
}
