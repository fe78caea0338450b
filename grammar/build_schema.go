package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

func (b *builder) createIndex(at ast.Pos, c gen.ICreateIndexContext) *ast.CreateIndex {
	s := &ast.CreateIndex{Pos: at, Custom: c.GetCustom() != nil, IfNotExists: c.GetAbsent() != nil}
	if c.GetIndex() != nil {
		s.Index = b.objectName(c.GetIndex(), "index")
	}
	s.Table = b.table(c.GetTable())
	for _, target := range c.GetTargets() {
		s.Targets = append(s.Targets, ast.IndexTarget{Kind: indexTargetKind(target), Column: b.name(target.GetColumn())})
	}
	if c.GetClass() != nil {
		s.Class = literal(of(c.GetClass()))
	}
	s.Properties = b.properties(c.GetValues())
	return s
}

func indexTargetKind(c gen.IIndexTargetContext) ast.IndexTargetKind {
	if c.GetKind() == nil {
		return ast.SimpleTarget
	}
	switch of(c.GetKind()).kind {
	case gen.CqlLexerK_VALUES:
		return ast.ValuesTarget
	case gen.CqlLexerK_KEYS:
		return ast.KeysTarget
	case gen.CqlLexerK_ENTRIES:
		return ast.EntriesTarget
	default:
		return ast.FullTarget
	}
}

func (b *builder) createView(at ast.Pos, c gen.ICreateViewContext) *ast.CreateMaterializedView {
	s := &ast.CreateMaterializedView{
		Pos:         at,
		IfNotExists: c.GetAbsent() != nil,
		View:        b.table(c.GetView()),
		Selectors:   b.selectors(c.GetList()),
		From:        b.table(c.GetTable()),
		Where:       b.where(c.GetWhere()),
		PrimaryKey:  primaryKey(c.GetKey()),
		Options:     b.tableOptions(c.GetOptions_()),
	}
	if s.Options.CompactStorage {
		b.fail(at, "COMPACT STORAGE tables are not allowed starting with version 4.0")
	}
	return s
}

func (b *builder) createFunction(at ast.Pos, replace bool, c gen.ICreateFunctionContext) *ast.CreateFunction {
	return &ast.CreateFunction{
		Pos:               at,
		OrReplace:         replace,
		IfNotExists:       c.GetAbsent() != nil,
		Function:          b.functionName(c.GetFunction()),
		Parameters:        b.fields(c.GetParameters()),
		CalledOnNullInput: c.GetCalled() != nil,
		Returns:           b.dataType(c.GetResult()),
		Language:          nameOf(of(c.GetLanguage())),
		Body:              of(c.GetBody()).content(),
	}
}

func (b *builder) createAggregate(at ast.Pos, replace bool, c gen.ICreateAggregateContext) *ast.CreateAggregate {
	s := &ast.CreateAggregate{
		Pos:           at,
		OrReplace:     replace,
		IfNotExists:   c.GetAbsent() != nil,
		Aggregate:     b.functionName(c.GetFunction()),
		Parameters:    b.types(c.GetParameters().GetTypes()),
		StateFunction: b.name(c.GetStateFunction()),
		StateType:     b.dataType(c.GetStateType()),
	}
	if c.GetFinalFunction() != nil {
		s.FinalFunction = b.name(c.GetFinalFunction())
	}
	if c.GetInitial() != nil {
		s.InitCondition = b.term(c.GetInitial())
	}
	return s
}

// drop builds a DROP statement.
func (b *builder) drop(c gen.IDropStatementContext) ast.Statement {
	at, present := position(c), c.GetPresent() != nil
	switch of(c.GetKind()).kind {
	case gen.CqlLexerK_KEYSPACE:
		return &ast.DropKeyspace{Pos: at, IfExists: present, Keyspace: b.objectName(c.GetObject(), "keyspace")}
	case gen.CqlLexerK_COLUMNFAMILY:
		return &ast.DropTable{Pos: at, IfExists: present, Table: b.table(c.GetQualified())}
	case gen.CqlLexerK_INDEX:
		return &ast.DropIndex{Pos: at, IfExists: present, Index: b.qualified(c.GetQualified(), "index")}
	case gen.CqlLexerK_MATERIALIZED:
		return &ast.DropMaterializedView{Pos: at, IfExists: present, View: b.table(c.GetQualified())}
	case gen.CqlLexerK_TYPE:
		return &ast.DropType{Pos: at, IfExists: present, Type: b.typeName(c.GetType_())}
	case gen.CqlLexerK_FUNCTION:
		return &ast.DropFunction{Pos: at, IfExists: present, Function: b.functionName(c.GetFunction()), Parameters: b.typeList(c.GetParameters())}
	case gen.CqlLexerK_AGGREGATE:
		return &ast.DropAggregate{Pos: at, IfExists: present, Aggregate: b.functionName(c.GetFunction()), Parameters: b.typeList(c.GetParameters())}
	case gen.CqlLexerK_TRIGGER:
		return &ast.DropTrigger{Pos: at, IfExists: present, Trigger: b.name(c.GetTrigger()), Table: b.table(c.GetQualified())}
	case gen.CqlLexerK_ROLE:
		return &ast.DropRole{Pos: at, IfExists: present, Role: b.roleName(c.GetRole())}
	case gen.CqlLexerK_USER:
		return &ast.DropUser{Pos: at, IfExists: present, User: b.userName(c.GetUser(), quotedUser)}
	default:
		return &ast.DropIdentity{Pos: at, IfExists: present, Identity: b.userName(c.GetUser(), quotedIdentity).Text}
	}
}

// typeList returns types in parentheses, or nil if c is.
func (b *builder) typeList(c gen.ITypeListContext) []*ast.Type {
	if c == nil {
		return nil
	}
	return b.types(c.GetTypes())
}

func (b *builder) describe(c gen.IDescribeStatementContext) *ast.Describe {
	s := &ast.Describe{
		Pos:           position(c),
		Full:          c.GetFull() != nil,
		Only:          c.GetOnly() != nil,
		WithInternals: c.GetInternals() != nil,
	}
	if c.GetKind() != nil {
		s.Kind = describeKind(of(c.GetKind()).kind)
	}
	switch {
	case c.GetKeyspace() != nil:
		s.Name.Name = b.objectName(c.GetKeyspace(), "keyspace")
	case c.GetQualified() != nil:
		s.Name = b.table(c.GetQualified())
	case c.GetType_() != nil:
		s.Name = b.typeName(c.GetType_())
	case c.GetFunction() != nil:
		s.Name = b.functionName(c.GetFunction())
	case c.GetSecond() != nil:
		s.Name = ast.Qualified{Keyspace: b.name(c.GetFirst()), Name: b.name(c.GetSecond())}
	case c.GetFirst() != nil:
		s.Name.Name = b.name(c.GetFirst())
	}
	return s
}

func describeKind(keyword int32) ast.DescribeKind {
	switch keyword {
	case gen.CqlLexerK_CLUSTER:
		return ast.DescribeCluster
	case gen.CqlLexerK_SCHEMA:
		return ast.DescribeSchema
	case gen.CqlLexerK_KEYSPACES:
		return ast.DescribeKeyspaces
	case gen.CqlLexerK_KEYSPACE:
		return ast.DescribeKeyspace
	case gen.CqlLexerK_TABLES:
		return ast.DescribeTables
	case gen.CqlLexerK_COLUMNFAMILY:
		return ast.DescribeTable
	case gen.CqlLexerK_INDEX:
		return ast.DescribeIndex
	case gen.CqlLexerK_MATERIALIZED:
		return ast.DescribeMaterializedView
	case gen.CqlLexerK_TYPES:
		return ast.DescribeTypes
	case gen.CqlLexerK_TYPE:
		return ast.DescribeType
	case gen.CqlLexerK_FUNCTIONS:
		return ast.DescribeFunctions
	case gen.CqlLexerK_FUNCTION:
		return ast.DescribeFunction
	case gen.CqlLexerK_AGGREGATES:
		return ast.DescribeAggregates
	default:
		return ast.DescribeAggregate
	}
}
