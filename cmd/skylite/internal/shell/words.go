package shell

import (
	"errors"
	"strings"
)

// words cuts a dot command into words. A word in quotes, '…' or "…", may hold spaces; a
// quote in it is doubled.
func words(line string) ([]string, error) {
	var all []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		if line[0] != '\'' && line[0] != '"' {
			end := strings.IndexAny(line, " \t")
			if end < 0 {
				end = len(line)
			}
			all = append(all, line[:end])
			line = line[end:]
			continue
		}
		word, rest, ok := quoted(line)
		if !ok {
			return nil, errors.New("a quote is not closed")
		}
		all = append(all, word)
		line = rest
	}
	return all, nil
}

// quoted takes a word in quotes off the beginning of a line.
func quoted(line string) (word, rest string, ok bool) {
	quote := line[:1]
	for rest = line[1:]; ; {
		part, behind, found := strings.Cut(rest, quote)
		if !found {
			return "", "", false
		}
		word += part
		if !strings.HasPrefix(behind, quote) {
			return word, behind, true
		}
		word, rest = word+quote, behind[1:]
	}
}
