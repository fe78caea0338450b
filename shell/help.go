package shell

import "strings"

// topics returns what HELP says about each command, in the order of the list.
func topics() [][2]string {
	return [][2]string{
		{"CLEAR", "CLEAR, CLS: clears the screen."},
		{"CONSISTENCY", "CONSISTENCY [level]: shows or sets how many replicas must answer: ANY, ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM,\n" +
			"EACH_QUORUM, SERIAL, LOCAL_SERIAL or LOCAL_ONE. ONE is the default."},
		{"DESCRIBE", "DESCRIBE, DESC: shows the schema, in the words of the server:\n" +
			"DESCRIBE KEYSPACES | TABLES | TYPES | FUNCTIONS | AGGREGATES\n" +
			"DESCRIBE KEYSPACE [name] | TABLE name | TYPE name | INDEX name | MATERIALIZED VIEW name | FUNCTION name | AGGREGATE name | name\n" +
			"DESCRIBE CLUSTER | [FULL] SCHEMA"},
		{"EXIT", "EXIT, QUIT: ends the shell. So does Ctrl-D."},
		{"EXPAND", "EXPAND [ON|OFF]: shows or sets whether each value has a line of its own."},
		{"HELP", "HELP [command], ?: explains commands. Everything that is not a command goes to the server as CQL; it ends with a semicolon."},
		{"LOGIN", "LOGIN user ['password']: connects as another user; without a password the shell asks for it."},
		{"PAGING", "PAGING [ON|OFF|rows]: shows or sets how many rows are fetched at once."},
		{"SERIAL", "SERIAL CONSISTENCY [level]: shows or sets the level of conditional updates: SERIAL, the default, or LOCAL_SERIAL."},
		{"SHOW", "SHOW VERSION | HOST | SESSION id: shows the versions, the server, or the trace of that id."},
		{"SOURCE", "SOURCE 'file': carries out the statements in a file, also behind one that fails."},
		{"TRACING", "TRACING [ON|OFF]: shows or sets whether the server records how it carries out statements; each is followed by its trace."},
	}
}

// help carries out HELP.
func (s *shell) help(words []string) {
	if len(words) == 0 {
		var names []string
		for _, t := range topics() {
			names = append(names, t[0])
		}
		s.printf("\nCommands of the shell; HELP and a name explains one:")
		s.printf("%s", strings.Repeat("=", 52))
		s.columnize(names)
		s.printf("\nEverything else is CQL and ends with a semicolon: https://cassandra.apache.org/doc/latest/cassandra/cql/cql_singlefile.html\n")
		return
	}
	aliases := map[string]string{"CLS": "CLEAR", "DESC": "DESCRIBE", "QUIT": "EXIT", "?": "HELP"}
	for _, word := range words {
		name := strings.ToUpper(word)
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		found := false
		for _, t := range topics() {
			if t[0] == name {
				found = true
				s.printf("%s", t[1])
			}
		}
		if !found {
			s.fail("No help on %s; HELP lists the commands", word)
		}
	}
}
