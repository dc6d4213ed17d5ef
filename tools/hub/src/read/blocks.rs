use super::{Block, Item, Table};

/// Makes blocks of the steps of a walk through a marked-up document. Markdown
/// events and HTML tags both come down to these few steps.
#[derive(Default)]
pub(super) struct Builder {
    blocks: Vec<Block>,
    /// The running text that has not become part of a block yet.
    text: String,
    /// The lists that are open, each with the number of its next item.
    lists: Vec<Option<u64>>,
    items: Vec<Item>,
    /// The items that are open, by their place in `items`.
    open_items: Vec<usize>,
    table: Option<Grid>,
    /// Tables inside the open one: their cells are text of the cell around.
    inner_tables: usize,
}

/// A table while its cells come in.
#[derive(Default)]
struct Grid {
    rows: Vec<Row>,
    /// Cells that reach down from rows above: column, rows left, text.
    reaching: Vec<(usize, usize, Cell)>,
    open: Option<Cell>,
}

#[derive(Default)]
struct Row {
    cells: Vec<Cell>,
}

#[derive(Default, Clone)]
struct Cell {
    text: String,
    is_header: bool,
    columns: usize,
    rows: usize,
}

/// A cell cannot reach over more columns or rows than this, whatever it says.
const MAX_SPAN: usize = 100;

impl Builder {
    /// Text of the running block, spaces as they are.
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Text in which any white space is one space, as HTML has it.
    pub(super) fn flowing_text(&mut self, text: &str) {
        for c in text.chars() {
            let blank = c.is_ascii_whitespace();
            if !blank {
                self.text.push(c);
            } else if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    /// A line end that is meant.
    pub(super) fn line_break(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// The running text ends here: it becomes a paragraph, or goes to the item
    /// or cell that is open.
    pub(super) fn end_block(&mut self) {
        if let Some(cell) = self.table.as_mut().and_then(|table| table.open.as_mut()) {
            join(&mut cell.text, &self.text);
        } else if let Some(item) = self.open_items.last().and_then(|at| self.items.get_mut(*at)) {
            join(&mut item.text, &self.text);
        } else {
            let text = self.text.trim().to_owned();
            if !text.is_empty() {
                self.end_stray_items();
                self.blocks.push(Block::Paragraph(text));
            }
        }
        self.text.clear();
    }

    /// The running text was a heading. Inside a list or a table it is text.
    pub(super) fn end_heading(&mut self, level: u8) {
        if self.table.is_some() || !self.lists.is_empty() {
            return self.end_block();
        }
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text.clear();
        if !text.is_empty() {
            self.blocks.push(Block::Heading { level, text });
        }
    }

    /// A list begins; `number` is its first item's, where it is numbered.
    pub(super) fn start_list(&mut self, number: Option<u64>) {
        self.end_block();
        self.lists.push(number);
    }

    pub(super) fn end_list(&mut self) {
        self.end_block();
        self.lists.pop();
        if !self.is_in_cell() {
            self.end_items_from(self.lists.len());
        }
        if self.lists.is_empty() {
            self.end_stray_items();
        }
    }

    pub(super) fn start_item(&mut self) {
        self.end_block();
        if self.is_in_cell() {
            return;
        }
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}.");
                *number = number.saturating_add(1);
                marker
            }
            _ => "-".to_owned(),
        };
        let depth = self.lists.len().saturating_sub(1);
        self.open_items.push(self.items.len());
        self.items.push(Item { depth, marker, text: String::new() });
    }

    pub(super) fn end_item(&mut self) {
        self.end_block();
        if !self.is_in_cell() {
            self.open_items.pop();
        }
        if self.lists.is_empty() {
            self.end_stray_items();
        }
    }

    /// The term of a definition list begins, and with it the last one's
    /// definition ends.
    pub(super) fn start_term(&mut self) {
        self.end_block();
        if !self.is_in_cell() {
            self.end_items_from(self.lists.len().saturating_sub(1));
        }
        self.start_item();
    }

    /// The term ends; its definition follows in the same item.
    pub(super) fn end_term(&mut self) {
        if !self.text.trim_end().ends_with(':') {
            self.text.push(':');
        }
        self.end_block();
    }

    pub(super) fn start_table(&mut self) {
        self.end_block();
        if self.table.is_some() {
            self.inner_tables += 1;
        } else {
            self.table = Some(Grid::default());
        }
    }

    pub(super) fn end_table(&mut self) {
        self.end_block();
        if self.inner_tables > 0 {
            self.inner_tables -= 1;
            return;
        }
        let Some(grid) = self.table.take() else { return };
        let blocks = grid.into_blocks();
        if self.lists.is_empty() {
            self.blocks.extend(blocks);
        } else {
            // A table inside a list item: its cells are the item's text.
            blocks.iter().for_each(|block| self.text(&as_text(block)));
            self.end_block();
        }
    }

    pub(super) fn start_row(&mut self) {
        self.end_block();
        if let Some(grid) = self.table.as_mut().filter(|_| self.inner_tables == 0) {
            grid.end_cell();
            grid.fill_from_above();
            grid.rows.push(Row::default());
        }
    }

    /// The cells of the last row name the columns.
    pub(super) fn row_was_header(&mut self) {
        let row = self.table.as_mut().and_then(|grid| grid.rows.last_mut());
        row.into_iter().flat_map(|row| &mut row.cells).for_each(|cell| cell.is_header = true);
    }

    pub(super) fn start_cell(&mut self, is_header: bool, columns: usize, rows: usize) {
        self.end_block();
        if let Some(grid) = self.table.as_mut().filter(|_| self.inner_tables == 0) {
            let (columns, rows) = (columns.clamp(1, MAX_SPAN), rows.clamp(1, MAX_SPAN));
            grid.open = Some(Cell { text: String::new(), is_header, columns, rows });
        }
    }

    pub(super) fn end_cell(&mut self) {
        self.end_block();
        if let Some(grid) = self.table.as_mut().filter(|_| self.inner_tables == 0) {
            grid.end_cell();
        }
    }

    pub(super) fn finish(mut self) -> Vec<Block> {
        self.end_block();
        while self.table.is_some() {
            self.end_table();
        }
        self.open_items.clear();
        self.end_stray_items();
        self.blocks
    }

    /// Closes the open items that are `depth` or more lists deep.
    fn end_items_from(&mut self, depth: usize) {
        let items = &self.items;
        self.open_items.retain(|at| items.get(*at).is_some_and(|item| item.depth < depth));
    }

    fn is_in_cell(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.open.is_some())
    }

    /// Items become a list, also those that stood outside of any.
    fn end_stray_items(&mut self) {
        self.items.retain(|item| !item.text.is_empty());
        if !self.items.is_empty() {
            self.blocks.push(Block::List(std::mem::take(&mut self.items)));
        }
    }
}

impl Grid {
    fn end_cell(&mut self) {
        let Some(cell) = self.open.take() else { return };
        if self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        self.fill_from_above();
        let Some(row) = self.rows.last_mut() else { return };
        for _ in 0..cell.columns {
            if cell.rows > 1 {
                self.reaching.push((row.cells.len(), cell.rows - 1, cell.clone()));
            }
            row.cells.push(cell.clone());
        }
    }

    /// Puts the cells that reach down to the next column into the row.
    fn fill_from_above(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        while let Some(above) = self
            .reaching
            .iter_mut()
            .find(|(column, left, _)| *column == row.cells.len() && *left > 0)
        {
            above.1 -= 1;
            row.cells.push(above.2.clone());
        }
        self.reaching.retain(|(_, left, _)| *left > 0);
    }

    fn into_blocks(mut self) -> Vec<Block> {
        self.end_cell();
        self.fill_from_above();
        self.rows.retain(|row| row.cells.iter().any(|cell| !cell.text.is_empty()));
        let is_header = |row: &Row| row.cells.iter().all(|cell| cell.is_header);
        let header = match self.rows.first() {
            // One heading over rows of several cells is a title of the table.
            Some(first) if is_header(first) && self.rows.len() > 1 && first.cells.len() > 1 => {
                texts(self.rows.remove(0))
            }
            _ => Vec::new(),
        };
        let rows: Vec<Vec<String>> = self.rows.into_iter().map(texts).collect();
        // A table of one column is a way to lay out text.
        if rows.iter().chain([&header]).all(|row| row.len() <= 1) {
            let lines = std::iter::once(header).chain(rows).flatten();
            return lines.map(Block::Paragraph).collect();
        }
        vec![Block::Table(Table { header, rows, row_is_passage: false })]
    }
}

fn texts(row: Row) -> Vec<String> {
    row.cells.into_iter().map(|cell| cell.text).collect()
}

fn as_text(block: &Block) -> String {
    match block {
        Block::Table(table) => {
            let rows = table.rows.iter().chain([&table.header]);
            rows.map(|row| row.join(", ")).collect::<Vec<_>>().join("\n")
        }
        Block::Paragraph(text) => format!("{text}\n"),
        _ => String::new(),
    }
}

/// Adds a block's words to those of an item or a cell, which is one line.
fn join(text: &mut String, more: &str) {
    for word in more.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
}
