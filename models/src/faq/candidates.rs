//! Candidates by BM25: a tantivy index in memory, one document an entry, searched by our own terms, never by a query
//! parser on a customer's text.

use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, Searcher, TantivyDocument, Term};

use super::Wording;

pub(crate) struct Candidates {
    searcher: Searcher,
    terms: Field,
}

/// Weight of a character bigram beside a word's 1.
const BIGRAM: f32 = 0.7;
/// Memory the writer may use before it spills, in bytes; the least that tantivy takes.
const BUDGET: usize = 15_000_000;
/// Terms of a query beyond which it gets no better.
const LONGEST_QUERY: usize = 64;
/// Entries beyond which only the rarest terms of a query are searched.
const LARGE: u64 = 5_000;
const RAREST: usize = 10;

impl Candidates {
    pub(crate) fn build(entries: &[Vec<Wording>]) -> tantivy::Result<Candidates> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::WithFreqs);
        let terms = schema.add_text_field(
            "terms",
            TextOptions::default().set_indexing_options(indexing),
        );
        // One segment without merging: a document's id is the entry's position.
        let mut writer = Index::builder()
            .schema(schema.build())
            .single_segment_index_writer::<TantivyDocument>(RamDirectory::create(), BUDGET)?;
        for wordings in entries {
            let mut document = TantivyDocument::default();
            let tokens = wordings
                .iter()
                .flat_map(|wording| &wording.terms)
                .enumerate()
                .map(|(position, term)| Token {
                    position,
                    text: term.clone(),
                    position_length: 1,
                    ..Token::default()
                })
                .collect();
            document.add_pre_tokenized_text(
                terms,
                PreTokenizedString {
                    text: String::new(),
                    tokens,
                },
            );
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        Ok(Candidates {
            searcher: index.reader()?.searcher(),
            terms,
        })
    }

    /// Entries with a term of `wording`, by BM25, at most `limit`.
    pub(crate) fn find(&self, wording: &Wording, limit: usize) -> Vec<(usize, f32)> {
        let mut terms: Vec<&String> = wording.terms.iter().collect();
        terms.sort_unstable();
        terms.dedup();
        if terms.is_empty() || limit == 0 {
            return Vec::new();
        }
        let terms = terms.into_iter().map(|text| {
            (
                text.starts_with('#'),
                Term::from_field_text(self.terms, text),
            )
        });
        let large = self.searcher.num_docs() > LARGE;
        let terms: Vec<(bool, Term)> = if large {
            // The rarest terms find the entry; the common ones only make every document a candidate.
            let mut counted: Vec<(u64, (bool, Term))> = terms
                .map(|term| (self.searcher.doc_freq(&term.1).unwrap_or(0), term))
                .filter(|(count, _)| *count > 0)
                .collect();
            counted.sort();
            counted
                .into_iter()
                .take(RAREST)
                .map(|(_, term)| term)
                .collect()
        } else {
            terms.take(LONGEST_QUERY).collect()
        };
        let clauses = terms
            .into_iter()
            .map(|(bigram, term)| {
                let term = TermQuery::new(term, IndexRecordOption::WithFreqs);
                // A union of plain terms can skip whole blocks of documents, one with boosts cannot.
                let query: Box<dyn Query> = if bigram && !large {
                    Box::new(BoostQuery::new(Box::new(term), BIGRAM))
                } else {
                    Box::new(term)
                };
                (Occur::Should, query)
            })
            .collect();
        let query = BooleanQuery::new(clauses);
        // An index in memory that was built whole has nothing to fail on; nothing found is the safe answer.
        let found = self
            .searcher
            .search(&query, &TopDocs::with_limit(limit).order_by_score())
            .unwrap_or_default();
        found
            .into_iter()
            .map(|(score, address)| (address.doc_id as usize, score))
            .collect()
    }
}
