// Statements of CQL 3.4.7 (Cassandra 5.0), the operators NOT IN, NOT CONTAINS, BETWEEN and ":" of
// later versions, CREATE TABLE LIKE, and EXPLAIN, which is Ilium's own.
//
// The parser runs without parse trees: the builder in package grammar reads labels only, so every
// part that matters has one. Alternatives are factored to the left wherever that lets one token
// decide, which keeps adaptive prediction out of the common statements. What is accepted here and
// not by Cassandra, or told apart by what a name is, the builder checks.
parser grammar CqlParser;

options { tokenVocab = CqlLexer; }

@members {
// ParserATN returns a transition network of the parser that nothing else uses.
func ParserATN() *antlr.ATN {
	CqlParserInit()
	return antlr.NewATNDeserializer(nil).Deserialize(CqlParserParserStaticData.serializedATN)
}
}

// ---- Entry points ----

root : explain=K_EXPLAIN? body=statement SEMICOLON* EOF ;

typeRoot : value=dataType EOF ;

termRoot : value=term EOF ;

statement
    : select=selectStatement | insert=insertStatement | update=updateStatement | delete=deleteStatement
    | batch=batchStatement | use=useStatement | truncate=truncateStatement
    | create=createStatement | alter=alterStatement | drop=dropStatement
    | grant=grantStatement | revoke=revokeStatement | list=listStatement | add=addIdentityStatement
    | describe=describeStatement
    ;

// ---- SELECT ----

// JSON and DISTINCT are also names of columns; where both readings fit, the keyword wins.
selectStatement
    : K_SELECT json=K_JSON? distinct=K_DISTINCT? list=selectList K_FROM table=qualifiedName
      ( K_WHERE where=whereClause )?
      ( K_GROUP K_BY groups+=selectorExpression ( COMMA groups+=selectorExpression )* )?
      ( K_ORDER K_BY orderings+=ordering ( COMMA orderings+=ordering )* )?
      ( K_PER K_PARTITION K_LIMIT perPartition=integerValue )?
      ( K_LIMIT total=integerValue )?
      ( filtering=K_ALLOW K_FILTERING )?
    ;

selectList : star=STAR | selectors+=selector ( COMMA selectors+=selector )* ;

selector : value=selectorExpression ( K_AS alias=name )? ;

// Operators come as a flat list; the builder applies precedence.
selectorExpression
    : first=selectorOperand
      ( operators+=( PLUS | MINUS | STAR | SLASH | PERCENT ) operands+=selectorOperand )*
    ;

selectorOperand : MINUS negated=selectorOperand | base=selectorPrimary modifiers+=selectorModifier* ;

// A dot selects a field, or completes the name of a function in another keyspace.
selectorModifier
    : DOT field=name arguments=selectorArguments?
    | DOT function=K_TOKEN arguments=selectorArguments
    | open=LEFT_BRACKET ( lower=term ( range=RANGE upper=term? )? | range=RANGE upper=term ) RIGHT_BRACKET
    ;

selectorPrimary
    : column=IDENT arguments=selectorArguments?
    | column=QUOTED_NAME arguments=selectorArguments?
    | keyword=functionKeyword arguments=selectorArguments?
    | literal=( STRING_LITERAL | INTEGER | FLOAT | BOOLEAN | DURATION | UUID | HEXNUMBER | K_NAN | K_INFINITY | NEGATIVE_NAN | NEGATIVE_INFINITY | K_NULL )
    | mark=QMARK
    | mark=COLON parameter=name
    | function=K_COUNT arguments=selectorArguments?
    | function=( K_WRITETIME | K_MAXWRITETIME | K_TTL )
      ( open=LEFT_PAREN target=name modifiers+=selectorModifier* RIGHT_PAREN )?
    | function=K_CAST ( open=LEFT_PAREN operand=selectorExpression K_AS castType=nativeType RIGHT_PAREN )?
    | function=K_TOKEN arguments=selectorArguments
    | column=( K_KEY | K_JSON | K_DISTINCT )
    | open=LEFT_BRACKET ( items+=selectorExpression ( COMMA items+=selectorExpression )* )? RIGHT_BRACKET
    | parenthesized=selectorParenthesized
    | braced=selectorBraced
    ;

selectorArguments
    : LEFT_PAREN ( star=STAR | items+=selectorExpression ( COMMA items+=selectorExpression )* )? RIGHT_PAREN
    ;

selectorParenthesized
    : LEFT_PAREN hint=dataType RIGHT_PAREN operand=selectorPrimary
    | LEFT_PAREN items+=selectorExpression ( COMMA items+=selectorExpression )* RIGHT_PAREN
    ;

selectorBraced
    : LEFT_BRACE
      ( keys+=selectorExpression
        ( COLON values+=selectorExpression
          ( COMMA keys+=selectorExpression COLON values+=selectorExpression )*
        | ( COMMA keys+=selectorExpression )*
        )
      )?
      RIGHT_BRACE
    ;

ordering : column=columnName ( K_ANN K_OF ann=term )? direction=( K_ASC | K_DESC )? ;

// ---- WHERE ----

whereClause : relations+=relation ( K_AND relations+=relation )* ;

relation
    : column=columnName
      ( operator=comparison value=term
      | bracket=LEFT_BRACKET key=term RIGHT_BRACKET operator=comparison value=term
      | like=K_LIKE value=term
      | between=K_BETWEEN low=term K_AND high=term
      | notNull=K_IS K_NOT K_NULL
      | negated=K_NOT? ( in=K_IN values=inValues | contains=K_CONTAINS containsKey=K_KEY? value=term )
      | match=COLON value=term
      )
    | function=K_TOKEN tuple=columnTuple
      ( operator=comparison value=term
      | between=K_BETWEEN low=term K_AND high=term
      )
    | parenthesized=parenthesizedRelation
    | expression=EXPRESSION_OPEN index=objectName COMMA value=term RIGHT_PAREN
    ;

parenthesizedRelation
    : LEFT_PAREN inner=relation RIGHT_PAREN
    | tuple=columnTuple
      ( operator=comparison value=tupleValue
      | between=K_BETWEEN low=tupleValue K_AND high=tupleValue
      | negated=K_NOT? in=K_IN
        ( LEFT_PAREN ( values+=tupleValue ( COMMA values+=tupleValue )* )? RIGHT_PAREN | mark=marker )
      )
    ;

comparison : EQUAL | LESS | LESS_EQUAL | GREATER | GREATER_EQUAL | NOT_EQUAL ;

columnTuple : LEFT_PAREN columns+=columnName ( COMMA columns+=columnName )* RIGHT_PAREN ;

tupleValue : LEFT_PAREN items+=term ( COMMA items+=term )* RIGHT_PAREN | mark=marker ;

inValues : LEFT_PAREN ( items+=term ( COMMA items+=term )* )? RIGHT_PAREN | mark=marker ;

// ---- INSERT, UPDATE, DELETE, BATCH, TRUNCATE, USE ----

insertStatement
    : K_INSERT K_INTO table=qualifiedName
      ( LEFT_PAREN columns+=columnName ( COMMA columns+=columnName )* RIGHT_PAREN
        K_VALUES LEFT_PAREN values+=term ( COMMA values+=term )* RIGHT_PAREN
      | K_JSON ( json=STRING_LITERAL | mark=marker ) ( K_DEFAULT ( K_NULL | unset=K_UNSET ) )?
      )
      ( absent=K_IF K_NOT K_EXISTS )?
      using=usingClause?
    ;

usingClause : K_USING options_+=usingOption ( K_AND options_+=usingOption )* ;

usingOption : kind=( K_TIMESTAMP | K_TTL ) value=integerValue ;

updateStatement
    : K_UPDATE table=qualifiedName using=usingClause?
      K_SET assignments+=assignment ( COMMA assignments+=assignment )*
      K_WHERE where=whereClause conditions=ifClause?
    ;

assignment
    : column=columnName
      ( EQUAL value=assignmentValue
      | operator=( PLUS_EQUAL | MINUS_EQUAL ) operand=term
      | bracket=LEFT_BRACKET key=term RIGHT_BRACKET EQUAL operand=term
      | DOT field=name EQUAL operand=term
      )
    ;

// "c = c -3" comes from the lexer as a column and the integer -3. The last alternative spells out
// the rule term, so that no other use of term has to look out for a column after a plus sign.
assignmentValue
    : column=columnName operator=( PLUS | MINUS ) value=term
    | column=columnName literal=INTEGER
    | first=termOperand
      ( operators+=( PLUS | MINUS | STAR | SLASH | PERCENT ) operands+=termOperand )*
      ( PLUS prepended=columnName )?
    ;

deleteStatement
    : K_DELETE ( targets+=deleteTarget ( COMMA targets+=deleteTarget )* )?
      K_FROM table=qualifiedName
      ( K_USING kind=K_TIMESTAMP timestamp=integerValue )?
      K_WHERE where=whereClause conditions=ifClause?
    ;

deleteTarget : column=columnName ( LEFT_BRACKET key=term RIGHT_BRACKET | DOT field=name )? ;

ifClause : K_IF ( exists=K_EXISTS | conditions+=condition ( K_AND conditions+=condition )* ) ;

condition
    : column=columnName
      ( ( LEFT_BRACKET key=term RIGHT_BRACKET | DOT field=name )?
        ( operator=comparison value=term | in=K_IN values=inValues )
      | contains=K_CONTAINS containsKey=K_KEY? value=term
      )
    ;

batchStatement
    : K_BEGIN kind=( K_UNLOGGED | K_COUNTER )? K_BATCH using=usingClause?
      ( changes+=change SEMICOLON? )*
      K_APPLY K_BATCH
    ;

change : insert=insertStatement | update=updateStatement | delete=deleteStatement ;

useStatement : K_USE keyspace=objectName ;

truncateStatement : K_TRUNCATE K_COLUMNFAMILY? table=qualifiedName ;

// ---- CREATE ----

createStatement
    : K_CREATE
      ( keyspace=createKeyspace | table=createTable | index=createIndex | view=createView
      | type_=createType | trigger=createTrigger | role=createRole | user=createUser
      | ( K_OR replace=K_REPLACE )? ( function=createFunction | aggregate=createAggregate )
      )
    ;

createKeyspace : K_KEYSPACE absent=ifNotExists? keyspace=objectName K_WITH values=properties ;

createTable
    : K_COLUMNFAMILY absent=ifNotExists? table=qualifiedName
      ( LEFT_PAREN columns+=tableColumn ( COMMA columns+=tableColumn? )* RIGHT_PAREN
        ( K_WITH options_+=tableOption ( K_AND options_+=tableOption )* )?
      | K_LIKE source=qualifiedName
        ( K_WITH likeOptions+=likeOption ( K_AND likeOptions+=likeOption )* )?
      )
    ;

tableColumn : column=columnDefinition ( primary=K_PRIMARY K_KEY )? | key=primaryKey ;

columnDefinition : column=name value=dataType static_=K_STATIC? mask=columnMask? ;

columnMask : K_MASKED K_WITH ( K_DEFAULT | function=functionName arguments=termArguments ) ;

primaryKey
    : K_PRIMARY K_KEY LEFT_PAREN
      ( partition+=name | LEFT_PAREN partition+=name ( COMMA partition+=name )* RIGHT_PAREN )
      ( COMMA clustering+=name )*
      RIGHT_PAREN
    ;

tableOption
    : value=property
    | compact=K_COMPACT K_STORAGE
    | K_CLUSTERING K_ORDER K_BY LEFT_PAREN order+=clusteringOrder ( COMMA order+=clusteringOrder )* RIGHT_PAREN
    ;

clusteringOrder : column=name direction=( K_ASC | K_DESC ) ;

likeOption : value=property | indexes=K_INDEXES ;

createIndex
    : custom=K_CUSTOM? K_INDEX absent=ifNotExists? index=objectName? K_ON table=qualifiedName
      LEFT_PAREN ( targets+=indexTarget ( COMMA targets+=indexTarget )* )? RIGHT_PAREN
      ( K_USING class=STRING_LITERAL )?
      ( K_WITH values=properties )?
    ;

indexTarget
    : column=columnName
    | kind=( K_VALUES | K_KEYS | K_ENTRIES | K_FULL ) LEFT_PAREN column=columnName RIGHT_PAREN
    ;

createView
    : K_MATERIALIZED K_VIEW absent=ifNotExists? view=qualifiedName K_AS
      K_SELECT list=selectList K_FROM table=qualifiedName ( K_WHERE where=whereClause )?
      key=primaryKey
      ( K_WITH options_+=tableOption ( K_AND options_+=tableOption )* )?
    ;

createType
    : K_TYPE absent=ifNotExists? type_=userTypeName
      LEFT_PAREN fields+=fieldDefinition ( COMMA fields+=fieldDefinition? )* RIGHT_PAREN
    ;

fieldDefinition : field=name value=dataType ;

createTrigger : K_TRIGGER absent=ifNotExists? trigger=name K_ON table=qualifiedName K_USING class=STRING_LITERAL ;

createFunction
    : K_FUNCTION absent=ifNotExists? function=functionName
      LEFT_PAREN ( parameters+=fieldDefinition ( COMMA parameters+=fieldDefinition )* )? RIGHT_PAREN
      ( K_RETURNS K_NULL | called=K_CALLED ) K_ON K_NULL K_INPUT
      K_RETURNS result=dataType K_LANGUAGE language=IDENT K_AS body=STRING_LITERAL
    ;

createAggregate
    : K_AGGREGATE absent=ifNotExists? function=functionName parameters=typeList
      K_SFUNC stateFunction=localFunctionName K_STYPE stateType=dataType
      ( K_FINALFUNC finalFunction=localFunctionName )?
      ( K_INITCOND initial=term )?
    ;

createRole : K_ROLE absent=ifNotExists? role=roleName ( K_WITH values=roleOptions )? ;

createUser
    : K_USER absent=ifNotExists? user=userName ( K_WITH password=userPassword )?
      superuser=( K_SUPERUSER | K_NOSUPERUSER )?
    ;

roleOptions : values+=roleOption ( K_AND values+=roleOption )* ;

roleOption
    : kind=K_PASSWORD EQUAL secret=STRING_LITERAL
    | K_GENERATED kind=K_PASSWORD
    | kind=K_HASHED K_PASSWORD EQUAL secret=STRING_LITERAL
    | kind=K_OPTIONS EQUAL map=mapLiteral
    | kind=( K_SUPERUSER | K_LOGIN ) EQUAL flag=BOOLEAN
    | K_ACCESS K_TO all=K_ALL kind=K_DATACENTERS
    | K_ACCESS K_TO kind=K_DATACENTERS LEFT_BRACE names+=STRING_LITERAL ( COMMA names+=STRING_LITERAL )* RIGHT_BRACE
    | K_ACCESS K_FROM all=K_ALL kind=K_CIDRS
    | K_ACCESS K_FROM kind=K_CIDRS LEFT_BRACE names+=STRING_LITERAL ( COMMA names+=STRING_LITERAL )* RIGHT_BRACE
    ;

userPassword
    : kind=K_PASSWORD secret=STRING_LITERAL
    | kind=K_HASHED K_PASSWORD secret=STRING_LITERAL
    | kind=K_GENERATED K_PASSWORD
    ;

// ---- ALTER ----

alterStatement
    : K_ALTER
      ( keyspace=alterKeyspace | table=alterTable | view=alterView | type_=alterType
      | role=alterRole | user=alterUser
      )
    ;

alterKeyspace : K_KEYSPACE present=ifExists? keyspace=objectName K_WITH values=properties ;

alterTable
    : K_COLUMNFAMILY present=ifExists? table=qualifiedName
      ( K_ALTER alter=alterColumn
      | K_ADD add=addColumns
      | K_DROP drop=dropColumns
      | K_RENAME renames=renameColumns
      | K_WITH values=properties
      )
    ;

alterColumn
    : column=columnName K_TYPE value=dataType
    | present=ifExists? column=columnName ( mask=columnMask | unmask=K_DROP K_MASKED )
    ;

addColumns
    : absent=ifNotExists?
      ( columns+=columnDefinition
      | LEFT_PAREN columns+=columnDefinition ( COMMA columns+=columnDefinition )* RIGHT_PAREN
      )
    ;

dropColumns
    : compact=K_COMPACT K_STORAGE
    | present=ifExists?
      ( columns+=name | LEFT_PAREN columns+=name ( COMMA columns+=name )* RIGHT_PAREN )
      ( K_USING K_TIMESTAMP timestamp=INTEGER )?
    ;

renameColumns : present=ifExists? renames+=rename ( K_AND renames+=rename )* ;

rename : from=name K_TO to=name ;

alterView : K_MATERIALIZED K_VIEW present=ifExists? view=qualifiedName K_WITH values=properties ;

alterType
    : K_TYPE present=ifExists? type_=userTypeName
      ( K_ALTER field=name K_TYPE value=dataType
      | K_ADD absent=ifNotExists? added=fieldDefinition
      | K_RENAME renames=renameColumns
      )
    ;

alterRole : K_ROLE present=ifExists? role=roleName ( K_WITH values=roleOptions )? ;

alterUser
    : K_USER present=ifExists? user=userName ( K_WITH password=userPassword )?
      superuser=( K_SUPERUSER | K_NOSUPERUSER )?
    ;

// ---- DROP ----

dropStatement
    : K_DROP
      ( kind=K_KEYSPACE present=ifExists? object=objectName
      | kind=( K_COLUMNFAMILY | K_INDEX ) present=ifExists? qualified=qualifiedName
      | kind=K_MATERIALIZED K_VIEW present=ifExists? qualified=qualifiedName
      | kind=K_TYPE present=ifExists? type_=userTypeName
      | kind=( K_FUNCTION | K_AGGREGATE ) present=ifExists? function=functionName parameters=typeList?
      | kind=K_TRIGGER present=ifExists? trigger=name K_ON qualified=qualifiedName
      | kind=K_ROLE present=ifExists? role=roleName
      | kind=( K_USER | K_IDENTITY ) present=ifExists? user=userName
      )
    ;

// ---- Roles and permissions ----

grantStatement
    : K_GRANT
      ( permitted=permissions K_ON on=resource K_TO grantee=roleName
      | role=roleName K_TO grantee=roleName
      )
    ;

revokeStatement
    : K_REVOKE
      ( permitted=permissions K_ON on=resource K_FROM grantee=roleName
      | role=roleName K_FROM grantee=roleName
      )
    ;

listStatement
    : K_LIST
      ( permitted=permissions ( K_ON on=resource )? ( K_OF of=roleName )? direct=K_NORECURSIVE?
      | kind=K_ROLES ( K_OF of=roleName )? direct=K_NORECURSIVE?
      | kind=( K_USERS | K_SUPERUSERS )
      )
    ;

permissions
    : all=K_ALL K_PERMISSIONS?
    | names+=permission K_PERMISSION? ( COMMA names+=permission K_PERMISSION? )*
    ;

permission
    : K_CREATE | K_ALTER | K_DROP | K_SELECT | K_MODIFY | K_AUTHORIZE | K_DESCRIBE | K_EXECUTE | K_UNMASK | K_SELECT_MASKED
    ;

resource
    : all=K_ALL kind=( K_KEYSPACES | K_ROLES | K_MBEANS )
    | all=K_ALL kind=( K_TABLES | K_FUNCTIONS ) K_IN K_KEYSPACE keyspace=objectName
    | all=K_ALL kind=K_FUNCTIONS
    | kind=K_KEYSPACE keyspace=objectName
    | kind=K_COLUMNFAMILY? table=qualifiedName
    | kind=K_ROLE role=roleName
    | kind=K_FUNCTION function=functionName parameters=typeList
    | kind=( K_MBEAN | K_MBEANS ) pattern=STRING_LITERAL
    ;

addIdentityStatement : K_ADD K_IDENTITY absent=ifNotExists? identity=userName K_TO K_ROLE role=userName ;

// ---- DESCRIBE ----

// Some of the keywords are also names; where both readings fit, the keyword wins.
describeStatement
    : ( K_DESCRIBE | K_DESC )
      ( kind=K_CLUSTER
      | full=K_FULL? kind=K_SCHEMA
      | kind=( K_KEYSPACES | K_TABLES | K_TYPES | K_FUNCTIONS | K_AGGREGATES )
      | only=K_ONLY? kind=K_KEYSPACE keyspace=objectName?
      | kind=( K_COLUMNFAMILY | K_INDEX ) qualified=qualifiedName
      | kind=K_MATERIALIZED K_VIEW qualified=qualifiedName
      | kind=K_TYPE type_=userTypeName
      | kind=( K_FUNCTION | K_AGGREGATE ) function=functionName
      | first=name ( DOT second=name )?
      )
      ( K_WITH internals=K_INTERNALS )?
    ;

// ---- Terms ----

term
    : first=termOperand
      ( operators+=( PLUS | MINUS | STAR | SLASH | PERCENT ) operands+=termOperand )*
    ;

termOperand
    : literal=( STRING_LITERAL | INTEGER | FLOAT | BOOLEAN | DURATION | UUID | HEXNUMBER | K_NAN | K_INFINITY | NEGATIVE_NAN | NEGATIVE_INFINITY | K_NULL )
    | mark=QMARK
    | mark=COLON parameter=name
    | MINUS negated=termOperand
    | call=functionCall
    | parenthesized=termParenthesized
    | braced=termBraced
    | open=LEFT_BRACKET ( items+=term ( COMMA items+=term )* )? RIGHT_BRACKET
    ;

marker : mark=QMARK | mark=COLON parameter=name ;

integerValue : literal=INTEGER | mark=marker ;

functionCall
    : first=name ( DOT second=localFunctionName )? arguments=termArguments
    | function=K_TOKEN arguments=termArguments
    | cast=K_CAST LEFT_PAREN operand=term K_AS castType=nativeType RIGHT_PAREN
    ;

termArguments : LEFT_PAREN ( items+=term ( COMMA items+=term )* )? RIGHT_PAREN ;

// A tuple comes first: ('a') - 1 subtracts from a tuple, as in Cassandra.
termParenthesized
    : LEFT_PAREN items+=term ( COMMA items+=term )* RIGHT_PAREN
    | LEFT_PAREN hint=dataType RIGHT_PAREN operand=termOperand
    ;

termBraced
    : LEFT_BRACE fields+=fieldValue ( COMMA fields+=fieldValue )* RIGHT_BRACE
    | LEFT_BRACE
      ( keys+=term
        ( COLON values+=term ( COMMA keys+=term COLON values+=term )*
        | ( COMMA keys+=term )*
        )
      )?
      RIGHT_BRACE
    ;

fieldValue : field=name COLON value=term ;

mapLiteral : LEFT_BRACE ( keys+=term COLON values+=term ( COMMA keys+=term COLON values+=term )* )? RIGHT_BRACE ;

// ---- Types ----

dataType
    : native=nativeType
    | collection=( K_LIST | K_SET | K_FROZEN ) LESS parameters+=dataType GREATER
    | collection=K_MAP LESS parameters+=dataType COMMA parameters+=dataType GREATER
    | collection=K_TUPLE LESS parameters+=dataType ( COMMA parameters+=dataType )* GREATER
    | collection=K_VECTOR LESS parameters+=dataType COMMA dimension=INTEGER GREATER
    | user=userTypeName
    | class=STRING_LITERAL
    ;

typeList : LEFT_PAREN ( types+=dataType ( COMMA types+=dataType )* )? RIGHT_PAREN ;

nativeType
    : K_ASCII | K_BIGINT | K_BLOB | K_BOOLEAN | K_COUNTER | K_DATE | K_DECIMAL | K_DOUBLE | K_DURATION
    | K_FLOAT | K_INET | K_INT | K_SMALLINT | K_TEXT | K_TIME | K_TIMESTAMP | K_TIMEUUID | K_TINYINT
    | K_UUID | K_VARCHAR | K_VARINT
    ;

// ---- Properties ----

properties : values+=property ( K_AND values+=property )* ;

property : key=name EQUAL ( value=propertyValue | map=mapLiteral ) ;

propertyValue
    : literal=( STRING_LITERAL | INTEGER | FLOAT | BOOLEAN | DURATION | UUID | HEXNUMBER | K_NAN | K_INFINITY | NEGATIVE_NAN | NEGATIVE_INFINITY )
    | keyword=unreservedKeyword
    ;

ifNotExists : K_IF K_NOT K_EXISTS ;

ifExists : K_IF K_EXISTS ;

// ---- Names ----

name : IDENT | QUOTED_NAME | unreservedKeyword ;

// A column of an old table may have an empty name.
columnName : IDENT | QUOTED_NAME | EMPTY_QUOTED_NAME | unreservedKeyword ;

// A bind marker is accepted here only so that the message can say what is wrong with it.
objectName : IDENT | QUOTED_NAME | QMARK | unreservedKeyword ;

qualifiedName : first=objectName ( DOT second=objectName )? ;

roleName : IDENT | QUOTED_NAME | STRING_LITERAL | QMARK | unreservedKeyword ;

userName : IDENT | STRING_LITERAL | QUOTED_NAME ;

functionName : ( keyspace=objectName DOT )? function=localFunctionName ;

localFunctionName : IDENT | QUOTED_NAME | K_TOKEN | K_COUNT | functionKeyword ;

userTypeName : ( keyspace=name DOT )? type_=localTypeName ;

localTypeName : IDENT | QUOTED_NAME | K_KEY | basicKeyword ;

unreservedKeyword
    : K_TTL | K_COUNT | K_WRITETIME | K_MAXWRITETIME | K_KEY | K_CAST | K_JSON | K_DISTINCT
    | functionKeyword
    ;

functionKeyword : nativeType | basicKeyword ;

basicKeyword
    : K_KEYS | K_AS | K_CLUSTER | K_CLUSTERING | K_COMPACT | K_STORAGE | K_TABLES | K_TYPE | K_TYPES
    | K_VALUES | K_MAP | K_LIST | K_FILTERING | K_PERMISSION | K_PERMISSIONS | K_KEYSPACES | K_ALL
    | K_USER | K_USERS | K_ROLE | K_ROLES | K_IDENTITY | K_SUPERUSER | K_SUPERUSERS | K_NOSUPERUSER
    | K_LOGIN | K_NOLOGIN | K_OPTIONS | K_PASSWORD | K_GENERATED | K_HASHED | K_EXISTS | K_CUSTOM
    | K_TRIGGER | K_CONTAINS | K_INTERNALS | K_ONLY | K_STATIC | K_FROZEN | K_TUPLE | K_FUNCTION
    | K_FUNCTIONS | K_AGGREGATE | K_AGGREGATES | K_SFUNC | K_STYPE | K_FINALFUNC | K_INITCOND
    | K_RETURNS | K_LANGUAGE | K_CALLED | K_INPUT | K_LIKE | K_PER | K_PARTITION | K_GROUP
    | K_DATACENTERS | K_CIDRS | K_ACCESS | K_DEFAULT | K_MBEAN | K_MBEANS | K_REPLACE | K_UNSET
    | K_MASKED | K_UNMASK | K_SELECT_MASKED | K_VECTOR | K_ANN | K_BETWEEN | K_INDEXES | K_EXPLAIN
    ;
