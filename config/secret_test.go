package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const planted = "planted-secret"

func TestSecretsAreNotShown(t *testing.T) {
	loaded, err := loadText("authenticator: PasswordAuthenticator\nsuperuser_password: "+planted, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Config.SuperuserPassword != planted {
		t.Fatal("the password is not set")
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", loaded.Config, "password", loaded.Config.SuperuserPassword)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb, loaded.Config)
		fmt.Fprintf(&out, verb, loaded.Config.SuperuserPassword)
	}
	text, err := json.Marshal(loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	fmt.Fprint(&out, loaded.Config.Values(), loaded.Settings)
	if err := loaded.Write(&out); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`# superuser_password: +\*{4} +secret: c.yaml:2`).MatchString(out.String()) {
		t.Errorf("the listing does not say that there is one:\n%s", out.String())
	}
	broken := loaded.Config
	broken.Authenticator = AllowAllAuthenticator
	for _, text := range []string{"superuser_password: '" + planted + "\x7f'", "superuser_password: [" + planted + "]"} {
		_, err := loadText(text, nil, nil)
		fmt.Fprint(&out, err)
	}
	fmt.Fprint(&out, broken.Validate())
	if strings.Contains(out.String(), planted) || strings.Contains(out.String(), fmt.Sprintf("%x", planted)) {
		t.Errorf("the password shows:\n%s", out.String())
	}
}

func TestSecretSources(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = "authenticator: PasswordAuthenticator\nsuperuser_password: x\n"
	check := func(mode os.FileMode, want string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Sources{File: file})
		if got := fmt.Sprint(err); got != strings.ReplaceAll(want, "FILE", file) {
			t.Errorf("%o: %s", mode, got)
		}
	}
	check(0o600, "<nil>")
	check(0o640, "<nil>")
	check(0o644, "FILE:2: superuser_password: cannot be in this file: it holds a secret, and its permissions 0644 let others "+
		"read or change it: allowed is 0640 at most")
	_, err := Load(Sources{Environ: []string{"ILIUM_AUTHENTICATOR=PasswordAuthenticator"}, Set: []string{"superuser_password=x"}})
	if fmt.Sprint(err) != "--set: superuser_password: every user of the machine can read it there: give it by a file or by ILIUM_SUPERUSER_PASSWORD" {
		t.Error(err)
	}
	_, err = Load(Sources{Environ: []string{"ILIUM_AUTHENTICATOR=PasswordAuthenticator", "ILIUM_SUPERUSER_PASSWORD=x"}})
	if err != nil {
		t.Error(err)
	}
}

func TestSecurityCombinations(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		_, err := loadText(text, nil, nil)
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	check("superuser_password: x", "c.yaml:1: superuser_password: **** cannot be combined with authenticator: AllowAllAuthenticator (default): "+
		"it is used with PasswordAuthenticator only")
	check("authenticator: PasswordAuthenticator\nsuperuser_password: x\nsuperuser_password_file: y",
		"c.yaml:2: superuser_password: **** cannot be combined with superuser_password_file: \"y\" (c.yaml:3): set one of them")
	check("client_encryption_enabled: true\nclient_encryption_key: k", "c.yaml:1: client_encryption_enabled: true cannot be combined with "+
		"client_encryption_certificate: none (default): TLS needs a certificate, and nothing else does")
	check("client_encryption_truststore: ca", "c.yaml:1: client_encryption_truststore: ca cannot be combined with "+
		"client_encryption_require_client_auth: false (default): clients' certificates need a truststore, and nothing else does")
	check("client_encryption_enabled: yes", `c.yaml:1: client_encryption_enabled: "yes" is not one of true, false`)
	check("client_encryption_enabled: true\nclient_encryption_certificate: c\nclient_encryption_key: k\n"+
		"client_encryption_require_client_auth: true\nclient_encryption_truststore: ca", "<nil>")
	check("authenticator: Password", `c.yaml:1: authenticator: "Password" is not one of AllowAllAuthenticator, PasswordAuthenticator`)
}
