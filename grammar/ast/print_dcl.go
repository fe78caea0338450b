package ast

func (p *printer) roleOptions(options []RoleOption) {
	for i := range options {
		if i == 0 {
			p.write(" WITH ")
		} else {
			p.write(" AND ")
		}
		p.roleOption(&options[i])
	}
}

func (p *printer) roleOption(o *RoleOption) {
	switch o.Kind {
	case Password:
		p.write("PASSWORD = ")
		p.string(o.Text)
	case HashedPassword:
		p.write("HASHED PASSWORD = ")
		p.string(o.Text)
	case GeneratedPassword:
		p.write("GENERATED PASSWORD")
	case Superuser:
		p.write("SUPERUSER = ", boolean(o.Enabled))
	case Login:
		p.write("LOGIN = ", boolean(o.Enabled))
	case Options:
		p.write("OPTIONS = ")
		o.Options.print(p)
	case AccessToDatacenters:
		p.access("ACCESS TO ", "DATACENTERS", o)
	case AccessFromCIDRs:
		p.access("ACCESS FROM ", "CIDRS", o)
	}
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func (p *printer) access(words, kind string, o *RoleOption) {
	p.write(words)
	if o.All {
		p.write("ALL ", kind)
		return
	}
	p.write(kind, " {")
	p.list(len(o.Names), ", ", func(i int) { p.string(o.Names[i]) })
	p.write("}")
}

func (s *CreateRole) print(p *printer) {
	p.write("CREATE ROLE ")
	p.when(s.IfNotExists, ifNotExists)
	p.role(s.Role)
	p.roleOptions(s.Options)
}

func (s *AlterRole) print(p *printer) {
	p.write("ALTER ROLE ")
	p.when(s.IfExists, ifExists)
	p.role(s.Role)
	p.roleOptions(s.Options)
}

func (s *DropRole) print(p *printer) {
	p.write("DROP ROLE ")
	p.when(s.IfExists, ifExists)
	p.role(s.Role)
}

// user appends a user, and its options in the older syntax without "=".
func (p *printer) user(user Name, options []RoleOption) {
	p.string(user.Text)
	for _, option := range options {
		switch option.Kind {
		case Password:
			p.write(" WITH PASSWORD ")
			p.string(option.Text)
		case HashedPassword:
			p.write(" WITH HASHED PASSWORD ")
			p.string(option.Text)
		case GeneratedPassword:
			p.write(" WITH GENERATED PASSWORD")
		case Superuser:
			p.when(option.Enabled, " SUPERUSER")
			p.when(!option.Enabled, " NOSUPERUSER")
		}
	}
}

func (s *CreateUser) print(p *printer) {
	p.write("CREATE USER ")
	p.when(s.IfNotExists, ifNotExists)
	p.user(s.User, s.Options)
}

func (s *AlterUser) print(p *printer) {
	p.write("ALTER USER ")
	p.when(s.IfExists, ifExists)
	p.user(s.User, s.Options)
}

func (s *DropUser) print(p *printer) {
	p.write("DROP USER ")
	p.when(s.IfExists, ifExists)
	p.user(s.User, nil)
}

func (s *AddIdentity) print(p *printer) {
	p.write("ADD IDENTITY ")
	p.when(s.IfNotExists, ifNotExists)
	p.string(s.Identity)
	p.write(" TO ROLE ")
	p.string(s.Role.Text)
}

func (s *DropIdentity) print(p *printer) {
	p.write("DROP IDENTITY ")
	p.when(s.IfExists, ifExists)
	p.string(s.Identity)
}

func (s *GrantRole) print(p *printer) {
	p.write("GRANT ")
	p.role(s.Role)
	p.write(" TO ")
	p.role(s.Grantee)
}

func (s *RevokeRole) print(p *printer) {
	p.write("REVOKE ")
	p.role(s.Role)
	p.write(" FROM ")
	p.role(s.Grantee)
}

func (p *printer) permissions(permissions Permissions) {
	if permissions.All {
		p.write("ALL PERMISSIONS")
		return
	}
	p.list(len(permissions.Names), ", ", func(i int) { p.write(string(permissions.Names[i])) })
}

func (s *GrantPermissions) print(p *printer) {
	p.write("GRANT ")
	p.permissions(s.Permissions)
	p.write(" ON ")
	s.Resource.print(p)
	p.write(" TO ")
	p.role(s.Grantee)
}

func (s *RevokePermissions) print(p *printer) {
	p.write("REVOKE ")
	p.permissions(s.Permissions)
	p.write(" ON ")
	s.Resource.print(p)
	p.write(" FROM ")
	p.role(s.Grantee)
}

func (s *ListPermissions) print(p *printer) {
	p.write("LIST ")
	p.permissions(s.Permissions)
	if s.Resource != nil {
		p.write(" ON ")
		s.Resource.print(p)
	}
	p.of(s.Of, s.NoRecursive)
}

func (p *printer) of(role Name, noRecursive bool) {
	if role.Text != "" || role.Quoted {
		p.write(" OF ")
		p.role(role)
	}
	p.when(noRecursive, " NORECURSIVE")
}

func (s *ListRoles) print(p *printer) {
	p.write("LIST ROLES")
	p.of(s.Of, s.NoRecursive)
}

func (s *ListUsers) print(p *printer) { p.write("LIST USERS") }

func (s *ListSuperusers) print(p *printer) { p.write("LIST SUPERUSERS") }

func (r *Resource) print(p *printer) {
	switch r.Kind {
	case AllKeyspaces:
		p.write("ALL KEYSPACES")
	case KeyspaceResource:
		p.write("KEYSPACE ", r.Keyspace.String())
	case AllTables:
		p.write("ALL TABLES IN KEYSPACE ", r.Keyspace.String())
	case TableResource:
		p.write("TABLE ", r.Name.String())
	case AllRoles:
		p.write("ALL ROLES")
	case RoleResource:
		p.write("ROLE ")
		p.role(r.Role)
	case AllFunctions:
		p.write("ALL FUNCTIONS")
	case AllFunctionsInKeyspace:
		p.write("ALL FUNCTIONS IN KEYSPACE ", r.Keyspace.String())
	case FunctionResource:
		p.write("FUNCTION ")
		p.call(r.Name)
		p.types(r.Parameters)
	case AllMBeans:
		p.write("ALL MBEANS")
	case MBeanResource:
		p.write("MBEAN ")
		p.string(r.Pattern)
	case MBeansResource:
		p.write("MBEANS ")
		p.string(r.Pattern)
	}
}

// String prints the resource.
func (r *Resource) String() string { return text(r) }

// String prints the statement, with the password if there is one.
func (s *CreateRole) String() string { return text(s) }

// String prints the statement, with the password if there is one.
func (s *AlterRole) String() string { return text(s) }

// String prints the statement.
func (s *DropRole) String() string { return text(s) }

// String prints the statement, with the password if there is one.
func (s *CreateUser) String() string { return text(s) }

// String prints the statement, with the password if there is one.
func (s *AlterUser) String() string { return text(s) }

// String prints the statement.
func (s *DropUser) String() string { return text(s) }

// String prints the statement.
func (s *AddIdentity) String() string { return text(s) }

// String prints the statement.
func (s *DropIdentity) String() string { return text(s) }

// String prints the statement.
func (s *GrantRole) String() string { return text(s) }

// String prints the statement.
func (s *RevokeRole) String() string { return text(s) }

// String prints the statement.
func (s *GrantPermissions) String() string { return text(s) }

// String prints the statement.
func (s *RevokePermissions) String() string { return text(s) }

// String prints the statement.
func (s *ListPermissions) String() string { return text(s) }

// String prints the statement.
func (s *ListRoles) String() string { return text(s) }

// String prints the statement.
func (s *ListUsers) String() string { return text(s) }

// String prints the statement.
func (s *ListSuperusers) String() string { return text(s) }
