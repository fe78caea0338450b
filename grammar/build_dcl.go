package grammar

import (
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// What Cassandra says to quoted names of users and identities.
const (
	quotedUser     = "Quoted strings are are not supported for user names and USER is deprecated, please use ROLE"
	quotedIdentity = "Quoted strings are are not supported for identity"
)

func (b *builder) createRole(at ast.Pos, c gen.ICreateRoleContext) *ast.CreateRole {
	return &ast.CreateRole{
		Pos:         at,
		IfNotExists: c.GetAbsent() != nil,
		Role:        b.roleName(c.GetRole()),
		Options:     b.roleOptions(c.GetValues()),
	}
}

func (b *builder) createUser(at ast.Pos, c gen.ICreateUserContext) *ast.CreateUser {
	return &ast.CreateUser{
		Pos:         at,
		IfNotExists: c.GetAbsent() != nil,
		User:        b.userName(c.GetUser(), quotedUser),
		Options:     userOptions(c.GetPassword(), c.GetSuperuser()),
	}
}

// roleOptions returns what follows WITH, or nil if c is.
func (b *builder) roleOptions(c gen.IRoleOptionsContext) []ast.RoleOption {
	if c == nil {
		return nil
	}
	options := make([]ast.RoleOption, len(c.GetValues()))
	for i, option := range c.GetValues() {
		options[i] = b.roleOption(option)
	}
	b.checkRoleOptions(options)
	return options
}

func (b *builder) roleOption(c gen.IRoleOptionContext) ast.RoleOption {
	option := ast.RoleOption{Pos: position(c), All: c.GetAll() != nil}
	if c.GetSecret() != nil {
		option.Text = of(c.GetSecret()).content()
	}
	if c.GetFlag() != nil {
		option.Enabled = strings.EqualFold(of(c.GetFlag()).raw(), "true")
	}
	for _, name := range c.GetNames() {
		option.Names = append(option.Names, of(name).content())
	}
	switch of(c.GetKind()).kind {
	case gen.CqlLexerK_PASSWORD:
		option.Kind = ast.Password
		if is(c.GetStart(), gen.CqlLexerK_GENERATED) {
			option.Kind = ast.GeneratedPassword
		}
	case gen.CqlLexerK_HASHED:
		option.Kind = ast.HashedPassword
	case gen.CqlLexerK_OPTIONS:
		option.Kind = ast.Options
		option.Options = b.propertyMap(c.GetMap_())
	case gen.CqlLexerK_SUPERUSER:
		option.Kind = ast.Superuser
	case gen.CqlLexerK_LOGIN:
		option.Kind = ast.Login
	case gen.CqlLexerK_DATACENTERS:
		option.Kind = ast.AccessToDatacenters
	default:
		option.Kind = ast.AccessFromCIDRs
	}
	return option
}

// checkRoleOptions refuses an option that comes twice and kinds of passwords together.
func (b *builder) checkRoleOptions(options []ast.RoleOption) {
	var seen [ast.AccessFromCIDRs + 1]bool
	for _, option := range options {
		if seen[option.Kind] && option.Kind < ast.AccessToDatacenters {
			b.fail(option.Pos, "Multiple definition for property '%s'", optionName(option.Kind))
		}
		seen[option.Kind] = true
	}
	exclude := func(one, other ast.RoleOptionKind, names string) {
		if seen[one] && seen[other] {
			b.fail(options[0].Pos, "Options %s are mutually exclusive", names)
		}
	}
	exclude(ast.Password, ast.HashedPassword, "'password' and 'hashed password'")
	exclude(ast.Password, ast.GeneratedPassword, "'password' and 'generated password'")
	exclude(ast.HashedPassword, ast.GeneratedPassword, "'hashed password' and 'generated password'")
}

func optionName(kind ast.RoleOptionKind) string {
	switch kind {
	case ast.Password:
		return "PASSWORD"
	case ast.HashedPassword:
		return "HASHED_PASSWORD"
	case ast.GeneratedPassword:
		return "GENERATED_PASSWORD"
	case ast.Superuser:
		return "SUPERUSER"
	case ast.Login:
		return "LOGIN"
	default:
		return "OPTIONS"
	}
}

// userOptions returns the options of a user, which may be nil both.
func userOptions(password gen.IUserPasswordContext, superuser antlr.Token) []ast.RoleOption {
	var options []ast.RoleOption
	if password != nil {
		option := ast.RoleOption{Pos: position(password), Kind: ast.Password}
		switch of(password.GetKind()).kind {
		case gen.CqlLexerK_HASHED:
			option.Kind = ast.HashedPassword
		case gen.CqlLexerK_GENERATED:
			option.Kind = ast.GeneratedPassword
		}
		if password.GetSecret() != nil {
			option.Text = of(password.GetSecret()).content()
		}
		options = append(options, option)
	}
	if superuser != nil {
		options = append(options, ast.RoleOption{
			Pos:     of(superuser).position(),
			Kind:    ast.Superuser,
			Enabled: is(superuser, gen.CqlLexerK_SUPERUSER),
		})
	}
	return options
}

func (b *builder) addIdentity(c gen.IAddIdentityStatementContext) *ast.AddIdentity {
	return &ast.AddIdentity{
		Pos:         position(c),
		IfNotExists: c.GetAbsent() != nil,
		Identity:    b.userName(c.GetIdentity(), quotedIdentity).Text,
		Role:        b.userName(c.GetRole(), quotedIdentity),
	}
}

func (b *builder) grant(c gen.IGrantStatementContext) ast.Statement {
	if c.GetRole() != nil {
		return &ast.GrantRole{Pos: position(c), Role: b.roleName(c.GetRole()), Grantee: b.roleName(c.GetGrantee())}
	}
	return &ast.GrantPermissions{
		Pos:         position(c),
		Permissions: permissions(c.GetPermitted()),
		Resource:    *b.resource(c.GetOn()),
		Grantee:     b.roleName(c.GetGrantee()),
	}
}

func (b *builder) revoke(c gen.IRevokeStatementContext) ast.Statement {
	if c.GetRole() != nil {
		return &ast.RevokeRole{Pos: position(c), Role: b.roleName(c.GetRole()), Grantee: b.roleName(c.GetGrantee())}
	}
	return &ast.RevokePermissions{
		Pos:         position(c),
		Permissions: permissions(c.GetPermitted()),
		Resource:    *b.resource(c.GetOn()),
		Grantee:     b.roleName(c.GetGrantee()),
	}
}

func (b *builder) list(c gen.IListStatementContext) ast.Statement {
	at := position(c)
	switch {
	case is(c.GetKind(), gen.CqlLexerK_USERS):
		return &ast.ListUsers{Pos: at}
	case is(c.GetKind(), gen.CqlLexerK_SUPERUSERS):
		return &ast.ListSuperusers{Pos: at}
	}
	var resource *ast.Resource
	if c.GetOn() != nil {
		resource = b.resource(c.GetOn())
	}
	var role ast.Name
	if c.GetOf() != nil {
		role = b.roleName(c.GetOf())
	}
	direct := c.GetDirect() != nil
	if c.GetKind() != nil {
		return &ast.ListRoles{Pos: at, Of: role, NoRecursive: direct}
	}
	return &ast.ListPermissions{
		Pos: at, Permissions: permissions(c.GetPermitted()), Resource: resource, Of: role, NoRecursive: direct,
	}
}

// permissions returns the permissions of a list, each once, in the order of the text.
func permissions(c gen.IPermissionsContext) ast.Permissions {
	if c.GetAll() != nil {
		return ast.Permissions{All: true}
	}
	names := make([]ast.Permission, 0, len(c.GetNames()))
	seen := make(map[ast.Permission]bool, len(c.GetNames()))
	for _, p := range c.GetNames() {
		permission := ast.Permission(strings.ToUpper(of(p.GetStart()).raw()))
		if !seen[permission] {
			names = append(names, permission)
			seen[permission] = true
		}
	}
	return ast.Permissions{Names: names}
}

func (b *builder) resource(c gen.IResourceContext) *ast.Resource {
	r := &ast.Resource{Pos: position(c), Kind: resourceKind(c)}
	if c.GetKeyspace() != nil {
		r.Keyspace = b.objectName(c.GetKeyspace(), "keyspace")
	}
	if c.GetTable() != nil {
		r.Name = b.table(c.GetTable())
	}
	if c.GetRole() != nil {
		r.Role = b.roleName(c.GetRole())
	}
	if c.GetFunction() != nil {
		r.Name = b.functionName(c.GetFunction())
		r.Parameters = b.types(c.GetParameters().GetTypes())
	}
	if c.GetPattern() != nil {
		r.Pattern = of(c.GetPattern()).content()
	}
	return r
}

func resourceKind(c gen.IResourceContext) ast.ResourceKind {
	if c.GetKind() == nil {
		return ast.TableResource
	}
	switch of(c.GetKind()).kind {
	case gen.CqlLexerK_KEYSPACES:
		return ast.AllKeyspaces
	case gen.CqlLexerK_KEYSPACE:
		return ast.KeyspaceResource
	case gen.CqlLexerK_TABLES:
		return ast.AllTables
	case gen.CqlLexerK_ROLES:
		return ast.AllRoles
	case gen.CqlLexerK_ROLE:
		return ast.RoleResource
	case gen.CqlLexerK_FUNCTIONS:
		if c.GetKeyspace() != nil {
			return ast.AllFunctionsInKeyspace
		}
		return ast.AllFunctions
	case gen.CqlLexerK_FUNCTION:
		return ast.FunctionResource
	case gen.CqlLexerK_MBEAN:
		return ast.MBeanResource
	case gen.CqlLexerK_MBEANS:
		if c.GetAll() != nil {
			return ast.AllMBeans
		}
		return ast.MBeansResource
	default:
		return ast.TableResource
	}
}
