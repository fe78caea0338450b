// Tokens of CQL 3.4.7 (Cassandra 5.0), and of the few later words that CqlParser.g4 accepts.
//
// Keyword tokens are named K_<WORD>, as in the error messages of Cassandra that users already know
// ("mismatched input 'FORM' expecting K_FROM"). The package grammar drives this lexer: it drops
// WHITESPACE and COMMENT, splits INTEGER_RANGE, FLOAT_RANGE and MINUS_WORD, and reports
// UNCLOSED_COMMENT and UNEXPECTED as errors.
lexer grammar CqlLexer;

options { caseInsensitive = true; }

@members {
// LexerATN returns a transition network of the lexer that nothing else uses.
func LexerATN() *antlr.ATN {
	CqlLexerInit()
	return antlr.NewATNDeserializer(nil).Deserialize(CqlLexerLexerStaticData.serializedATN)
}
}

// Keywords with two spellings.
K_COLUMNFAMILY : 'TABLE' | 'COLUMNFAMILY' ;
K_TABLES : 'TABLES' | 'COLUMNFAMILIES' ;

// Keywords. A word missing from unreservedKeyword in CqlParser.g4 is reserved.
K_ACCESS : 'ACCESS' ;
K_ADD : 'ADD' ;
K_AGGREGATE : 'AGGREGATE' ;
K_AGGREGATES : 'AGGREGATES' ;
K_ALL : 'ALL' ;
K_ALLOW : 'ALLOW' ;
K_ALTER : 'ALTER' ;
K_AND : 'AND' ;
K_ANN : 'ANN' ;
K_APPLY : 'APPLY' ;
K_AS : 'AS' ;
K_ASC : 'ASC' ;
K_ASCII : 'ASCII' ;
K_AUTHORIZE : 'AUTHORIZE' ;
K_BATCH : 'BATCH' ;
K_BEGIN : 'BEGIN' ;
K_BETWEEN : 'BETWEEN' ;
K_BIGINT : 'BIGINT' ;
K_BLOB : 'BLOB' ;
K_BOOLEAN : 'BOOLEAN' ;
K_BY : 'BY' ;
K_CALLED : 'CALLED' ;
K_CAST : 'CAST' ;
K_CIDRS : 'CIDRS' ;
K_CLUSTER : 'CLUSTER' ;
K_CLUSTERING : 'CLUSTERING' ;
K_COMPACT : 'COMPACT' ;
K_CONTAINS : 'CONTAINS' ;
K_COUNT : 'COUNT' ;
K_COUNTER : 'COUNTER' ;
K_CREATE : 'CREATE' ;
K_CUSTOM : 'CUSTOM' ;
K_DATACENTERS : 'DATACENTERS' ;
K_DATE : 'DATE' ;
K_DECIMAL : 'DECIMAL' ;
K_DEFAULT : 'DEFAULT' ;
K_DELETE : 'DELETE' ;
K_DESC : 'DESC' ;
K_DESCRIBE : 'DESCRIBE' ;
K_DISTINCT : 'DISTINCT' ;
K_DOUBLE : 'DOUBLE' ;
K_DROP : 'DROP' ;
K_DURATION : 'DURATION' ;
K_ENTRIES : 'ENTRIES' ;
K_EXECUTE : 'EXECUTE' ;
K_EXISTS : 'EXISTS' ;
K_EXPLAIN : 'EXPLAIN' ;
K_FILTERING : 'FILTERING' ;
K_FINALFUNC : 'FINALFUNC' ;
K_FLOAT : 'FLOAT' ;
K_FROM : 'FROM' ;
K_FROZEN : 'FROZEN' ;
K_FULL : 'FULL' ;
K_FUNCTION : 'FUNCTION' ;
K_FUNCTIONS : 'FUNCTIONS' ;
K_GENERATED : 'GENERATED' ;
K_GRANT : 'GRANT' ;
K_GROUP : 'GROUP' ;
K_HASHED : 'HASHED' ;
K_IDENTITY : 'IDENTITY' ;
K_IF : 'IF' ;
K_IN : 'IN' ;
K_INDEX : 'INDEX' ;
K_INDEXES : 'INDEXES' ;
K_INET : 'INET' ;
K_INFINITY : 'INFINITY' ;
K_INITCOND : 'INITCOND' ;
K_INPUT : 'INPUT' ;
K_INSERT : 'INSERT' ;
K_INT : 'INT' ;
K_INTERNALS : 'INTERNALS' ;
K_INTO : 'INTO' ;
K_IS : 'IS' ;
K_JSON : 'JSON' ;
K_KEY : 'KEY' ;
K_KEYS : 'KEYS' ;
K_KEYSPACE : 'KEYSPACE' ;
K_KEYSPACES : 'KEYSPACES' ;
K_LANGUAGE : 'LANGUAGE' ;
K_LIKE : 'LIKE' ;
K_LIMIT : 'LIMIT' ;
K_LIST : 'LIST' ;
K_LOGIN : 'LOGIN' ;
K_MAP : 'MAP' ;
K_MASKED : 'MASKED' ;
K_MATERIALIZED : 'MATERIALIZED' ;
K_MAXWRITETIME : 'MAXWRITETIME' ;
K_MBEAN : 'MBEAN' ;
K_MBEANS : 'MBEANS' ;
K_MODIFY : 'MODIFY' ;
K_NAN : 'NAN' ;
K_NOLOGIN : 'NOLOGIN' ;
K_NORECURSIVE : 'NORECURSIVE' ;
K_NOSUPERUSER : 'NOSUPERUSER' ;
K_NOT : 'NOT' ;
K_NULL : 'NULL' ;
K_OF : 'OF' ;
K_ON : 'ON' ;
K_ONLY : 'ONLY' ;
K_OPTIONS : 'OPTIONS' ;
K_OR : 'OR' ;
K_ORDER : 'ORDER' ;
K_PARTITION : 'PARTITION' ;
K_PASSWORD : 'PASSWORD' ;
K_PER : 'PER' ;
K_PERMISSION : 'PERMISSION' ;
K_PERMISSIONS : 'PERMISSIONS' ;
K_PRIMARY : 'PRIMARY' ;
K_RENAME : 'RENAME' ;
K_REPLACE : 'REPLACE' ;
K_RETURNS : 'RETURNS' ;
K_REVOKE : 'REVOKE' ;
K_ROLE : 'ROLE' ;
K_ROLES : 'ROLES' ;
K_SCHEMA : 'SCHEMA' ;
K_SELECT : 'SELECT' ;
K_SELECT_MASKED : 'SELECT_MASKED' ;
K_SET : 'SET' ;
K_SFUNC : 'SFUNC' ;
K_SMALLINT : 'SMALLINT' ;
K_STATIC : 'STATIC' ;
K_STORAGE : 'STORAGE' ;
K_STYPE : 'STYPE' ;
K_SUPERUSER : 'SUPERUSER' ;
K_SUPERUSERS : 'SUPERUSERS' ;
K_TEXT : 'TEXT' ;
K_TIME : 'TIME' ;
K_TIMESTAMP : 'TIMESTAMP' ;
K_TIMEUUID : 'TIMEUUID' ;
K_TINYINT : 'TINYINT' ;
K_TO : 'TO' ;
K_TOKEN : 'TOKEN' ;
K_TRIGGER : 'TRIGGER' ;
K_TRUNCATE : 'TRUNCATE' ;
K_TTL : 'TTL' ;
K_TUPLE : 'TUPLE' ;
K_TYPE : 'TYPE' ;
K_TYPES : 'TYPES' ;
K_UNLOGGED : 'UNLOGGED' ;
K_UNMASK : 'UNMASK' ;
K_UNSET : 'UNSET' ;
K_UPDATE : 'UPDATE' ;
K_USE : 'USE' ;
K_USER : 'USER' ;
K_USERS : 'USERS' ;
K_USING : 'USING' ;
K_UUID : 'UUID' ;
K_VALUES : 'VALUES' ;
K_VARCHAR : 'VARCHAR' ;
K_VARINT : 'VARINT' ;
K_VECTOR : 'VECTOR' ;
K_VIEW : 'VIEW' ;
K_WHERE : 'WHERE' ;
K_WITH : 'WITH' ;
K_WRITETIME : 'WRITETIME' ;

// Literals. Each comes before IDENT, which would match some of them at the same length.
BOOLEAN : 'TRUE' | 'FALSE' ;

// Cassandra quotes with '...', where '' is one quote, or with $$...$$, where nothing is special.
STRING_LITERAL : '\'' ( ~'\'' | '\'\'' )* '\'' | '$$' .*? '$$' ;

QUOTED_NAME : '"' ( ~'"' | '""' )+ '"' ;
EMPTY_QUOTED_NAME : '""' ;

INTEGER : '-'? DIGIT+ ;

FLOAT : INTEGER '.' DIGIT* EXPONENT? | INTEGER EXPONENT ;

// In m[1..2] the longest match would read the float "1." first.
INTEGER_RANGE : INTEGER '..' ;
FLOAT_RANGE : INTEGER '...' ;

DURATION
    : '-'? ( DIGIT+ DURATION_UNIT )+
    | '-'? ISO_P DIGIT DIGIT DIGIT DIGIT '-' DIGIT DIGIT '-' DIGIT DIGIT
      ISO_T DIGIT DIGIT ':' DIGIT DIGIT ':' DIGIT DIGIT
    | '-'? ISO_P ISO_TIME
    | '-'? ISO_P DIGIT+ ISO_W
    | '-'? ISO_P ISO_DATE ISO_TIME?
    ;

NEGATIVE_NAN : '-NAN' ;
NEGATIVE_INFINITY : '-INFINITY' ;

// Keeps "a-nano" from being read as "a -NaN o".
MINUS_WORD : '-' [A-Z] [A-Z0-9_]* ;

UUID : HEX4 HEX4 '-' HEX4 '-' HEX4 '-' HEX4 '-' HEX4 HEX4 HEX4 ;

HEXNUMBER : '0' 'X' HEX* ;

IDENT : [A-Z] [A-Z0-9_]* ;

// The opening of a custom index expression is one token: with a space before the parenthesis, or in
// other letter case, "expr" is an ordinary name.
EXPRESSION_OPEN options { caseInsensitive = false; } : 'expr(' ;

QMARK : '?' ;
RANGE : '..' ;
DOT : '.' ;
COMMA : ',' ;
COLON : ':' ;
SEMICOLON : ';' ;
LEFT_PAREN : '(' ;
RIGHT_PAREN : ')' ;
LEFT_BRACKET : '[' ;
RIGHT_BRACKET : ']' ;
LEFT_BRACE : '{' ;
RIGHT_BRACE : '}' ;
PLUS : '+' ;
MINUS : '-' ;
STAR : '*' ;
SLASH : '/' ;
PERCENT : '%' ;
EQUAL : '=' ;
NOT_EQUAL : '!=' ;
LESS : '<' ;
LESS_EQUAL : '<=' ;
GREATER : '>' ;
GREATER_EQUAL : '>=' ;
PLUS_EQUAL : '+=' ;
MINUS_EQUAL : '-=' ;

WHITESPACE : [ \t\r\n]+ ;
COMMENT : ( '--' | '//' ) ~[\r\n]* | '/*' .*? '*/' ;

// Without this token an unclosed comment would be read as a division, and every further one would
// scan to the end of the text again.
UNCLOSED_COMMENT : '/*' ;

// Any other character, so that the lexer never fails on its own.
UNEXPECTED : . ;

fragment DIGIT : [0-9] ;
fragment HEX : [0-9A-F] ;
fragment HEX4 : HEX HEX HEX HEX ;
fragment EXPONENT : 'E' [+-]? DIGIT+ ;
fragment DURATION_UNIT : 'Y' | 'MO' | 'W' | 'D' | 'H' | 'M' | 'S' | 'MS' | 'US' | MICRO 'S' | 'NS' ;

// ISO 8601 designators are upper case only, and the sign for micro has no upper case of its own.
fragment MICRO options { caseInsensitive = false; } : '\u00B5' ;
fragment ISO_P options { caseInsensitive = false; } : 'P' ;
fragment ISO_T options { caseInsensitive = false; } : 'T' ;
fragment ISO_W options { caseInsensitive = false; } : 'W' ;
fragment ISO_DATE options { caseInsensitive = false; }
    : DIGIT+ 'Y' ( DIGIT+ 'M' )? ( DIGIT+ 'D' )?
    | DIGIT+ 'M' ( DIGIT+ 'D' )?
    | DIGIT+ 'D'
    ;
fragment ISO_TIME options { caseInsensitive = false; }
    : 'T' DIGIT+ 'H' ( DIGIT+ 'M' )? ( DIGIT+ 'S' )?
    | 'T' DIGIT+ 'M' ( DIGIT+ 'S' )?
    | 'T' DIGIT+ 'S'
    ;
