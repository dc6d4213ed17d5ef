-- The words of the index, to spell a question as the passages are spelt.
CREATE VIRTUAL TABLE word_vocabulary USING fts5vocab (word, row);
