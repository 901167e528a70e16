package render

import (
	"io"
	"strings"
)

// Cell is a cell of a Table.
type Cell struct {
	Text string
	// Right aligns the text to the right, as befits numbers.
	Right bool
	// Dim sets the text apart from others, where there is colour.
	Dim bool
}

// sample is how many rows a Table waits for before it settles on the widths of its
// columns. Later rows are cut to them.
const sample = 1000

// narrowest is how far columns are cut for the table to fit its width.
const narrowest = 6

// Table draws a table with lines around it. Begin it with Header.
type Table struct {
	// W is where it is drawn.
	W io.Writer
	// Width is how many columns the terminal has: cells that would not fit are cut.
	// 0 means that all is shown.
	Width int
	// Color allows escape sequences.
	Color bool
	// NoHeader leaves the columns' names out.
	NoHeader bool

	header []Cell
	rows   [][]Cell
	widths []int // set once drawing has begun
	err    error
}

// Header begins a table with these columns.
func (t *Table) Header(names []string) {
	t.header, t.rows, t.widths = make([]Cell, len(names)), nil, nil
	for i, name := range names {
		t.header[i] = Cell{Text: Printable(name)}
	}
}

// Row adds a row, which has as many cells as there are columns.
func (t *Table) Row(cells []Cell) error {
	for i := range cells {
		cells[i].Text = Printable(cells[i].Text)
	}
	if t.widths != nil {
		t.line(cells)
		return t.err
	}
	if t.rows = append(t.rows, cells); len(t.rows) == sample {
		t.begin()
	}
	return t.err
}

// End draws what is left.
func (t *Table) End() error {
	if t.widths == nil {
		t.begin()
	}
	t.border("└", "┴", "┘")
	return t.err
}

// begin draws the header and the rows so far.
func (t *Table) begin() {
	t.measure()
	t.border("┌", "┬", "┐")
	if !t.NoHeader {
		t.line(t.header)
		t.border("├", "┼", "┤")
	}
	for _, row := range t.rows {
		t.line(row)
	}
	t.rows = nil
}

func (t *Table) measure() {
	t.widths = make([]int, len(t.header))
	for i, cell := range t.header {
		t.widths[i] = Width(cell.Text)
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], Width(cell.Text))
		}
	}
	if t.Width > 0 {
		t.fit(t.Width - 3*len(t.widths) - 1)
	}
}

// fit cuts the widest columns, all to the same width, until the table fits.
func (t *Table) fit(room int) {
	total, widest := 0, 0
	for _, w := range t.widths {
		total += w
		widest = max(widest, w)
	}
	for ; total > room && widest > narrowest; widest-- {
		for i, w := range t.widths {
			if w == widest {
				t.widths[i]--
				total--
			}
		}
	}
}

func (t *Table) border(left, middle, right string) {
	parts := make([]string, len(t.widths))
	for i, w := range t.widths {
		parts[i] = strings.Repeat("─", w+2)
	}
	t.write(left + strings.Join(parts, middle) + right + "\n")
}

func (t *Table) line(cells []Cell) {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString("│ ")
		text := clip(cell.Text, t.widths[i])
		space := strings.Repeat(" ", t.widths[i]-Width(text))
		if cell.Dim && t.Color {
			text = "\x1b[2m" + text + "\x1b[0m"
		}
		if cell.Right {
			b.WriteString(space + text + " ")
		} else {
			b.WriteString(text + space + " ")
		}
	}
	b.WriteString("│\n")
	t.write(b.String())
}

func (t *Table) write(s string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.W, s)
	}
}
