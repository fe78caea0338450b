package ast

// RoleOptionKind is what a RoleOption sets.
type RoleOptionKind uint8

// The options of roles, and the fields of RoleOption that each uses.
const (
	Password            RoleOptionKind = iota + 1 // Text
	HashedPassword                                // Text
	GeneratedPassword                             // none: the server makes one up
	Superuser                                     // Enabled
	Login                                         // Enabled
	Options                                       // Options
	AccessToDatacenters                           // All or Names
	AccessFromCIDRs                               // All or Names
)

// RoleOption is one option after WITH of a role. No option but access occurs twice, and no two kinds
// of password occur together.
type RoleOption struct {
	Pos
	Kind    RoleOptionKind
	Text    string
	Enabled bool
	All     bool
	Names   []string
	Options *Map // of literals without duplicate keys
}

// CreateRole is CREATE ROLE.
type CreateRole struct {
	Pos
	IfNotExists bool
	Role        Name
	Options     []RoleOption
}

// AlterRole is ALTER ROLE.
type AlterRole struct {
	Pos
	IfExists bool
	Role     Name
	Options  []RoleOption
}

// DropRole is DROP ROLE.
type DropRole struct {
	Pos
	IfExists bool
	Role     Name
}

// CreateUser is CREATE USER: a role that may log in. Its name keeps its letter case without quotes
// too, and so is always marked as quoted. Its options are at most one kind of password and Superuser.
type CreateUser struct {
	Pos
	IfNotExists bool
	User        Name
	Options     []RoleOption
}

// AlterUser is ALTER USER; see CreateUser.
type AlterUser struct {
	Pos
	IfExists bool
	User     Name
	Options  []RoleOption
}

// DropUser is DROP USER; see CreateUser.
type DropUser struct {
	Pos
	IfExists bool
	User     Name
}

// AddIdentity is ADD IDENTITY. Role keeps its letter case like the name in CreateUser.
type AddIdentity struct {
	Pos
	IfNotExists bool
	Identity    string
	Role        Name
}

// DropIdentity is DROP IDENTITY.
type DropIdentity struct {
	Pos
	IfExists bool
	Identity string
}

// GrantRole is GRANT role TO role.
type GrantRole struct {
	Pos
	Role, Grantee Name
}

// RevokeRole is REVOKE role FROM role.
type RevokeRole struct {
	Pos
	Role, Grantee Name
}

// Permission is a permission in upper case: CREATE, ALTER, DROP, SELECT, MODIFY, AUTHORIZE,
// DESCRIBE, EXECUTE, UNMASK or SELECT_MASKED.
type Permission string

// Permissions is ALL [PERMISSIONS], or a list of them.
type Permissions struct {
	All   bool
	Names []Permission
}

// GrantPermissions is GRANT permissions ON resource TO role.
type GrantPermissions struct {
	Pos
	Permissions Permissions
	Resource    Resource
	Grantee     Name
}

// RevokePermissions is REVOKE permissions ON resource FROM role.
type RevokePermissions struct {
	Pos
	Permissions Permissions
	Resource    Resource
	Grantee     Name
}

// ListPermissions is LIST permissions.
type ListPermissions struct {
	Pos
	Permissions Permissions
	Resource    *Resource // nil for all
	Of          Name      // absent for all
	NoRecursive bool      // leave out what comes through other roles
}

// ListRoles is LIST ROLES.
type ListRoles struct {
	Pos
	Of          Name // absent for all
	NoRecursive bool
}

// ListUsers is LIST USERS.
type ListUsers struct{ Pos }

// ListSuperusers is LIST SUPERUSERS.
type ListSuperusers struct{ Pos }

// ResourceKind is the kind of a Resource.
type ResourceKind uint8

// The kinds of resources, and the fields of Resource that each uses.
const (
	AllKeyspaces           ResourceKind = iota + 1 // none
	KeyspaceResource                               // Keyspace
	AllTables                                      // Keyspace: ALL TABLES IN KEYSPACE
	TableResource                                  // Name
	AllRoles                                       // none
	RoleResource                                   // Role
	AllFunctions                                   // none
	AllFunctionsInKeyspace                         // Keyspace
	FunctionResource                               // Name, Parameters
	AllMBeans                                      // none
	MBeanResource                                  // Pattern, a name: MBEAN
	MBeansResource                                 // Pattern, with wildcards: MBEANS
)

// Resource is what permissions are about.
type Resource struct {
	Pos
	Kind       ResourceKind
	Keyspace   Name
	Name       Qualified
	Role       Name
	Parameters []*Type
	Pattern    string
}

func (*CreateRole) statement()        {}
func (*AlterRole) statement()         {}
func (*DropRole) statement()          {}
func (*CreateUser) statement()        {}
func (*AlterUser) statement()         {}
func (*DropUser) statement()          {}
func (*AddIdentity) statement()       {}
func (*DropIdentity) statement()      {}
func (*GrantRole) statement()         {}
func (*RevokeRole) statement()        {}
func (*GrantPermissions) statement()  {}
func (*RevokePermissions) statement() {}
func (*ListPermissions) statement()   {}
func (*ListRoles) statement()         {}
func (*ListUsers) statement()         {}
func (*ListSuperusers) statement()    {}
