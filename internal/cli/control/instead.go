package control

import "github.com/sp-registry/sp/internal/cli"

// Instead tells people who expect other words what they are here, and who of the two programs has them.
func Instead(words string) cli.Advice {
	switch words {
	case "user delete", "user remove", "user rm":
		return cli.Advise("users stay, for the audit; %s locks one out", cli.To("spd user edit", "NAME", "--active", "no"))
	case "user show":
		return cli.Advise("did you mean %s?", cli.To("spd user list"))
	case "token revoke", "token remove", "token rm":
		return cli.Advise("did you mean %s?", cli.To("spd token delete", "ID"))
	case "token add", "token new":
		return cli.Advise("did you mean %s?", cli.To("spd token create", "USER"))
	case "user create", "user new":
		return cli.Advise("did you mean %s?", cli.To("spd user add", "NAME"))
	case "region create", "region new":
		return cli.Advise("did you mean %s?", cli.To("spd region add", "CODE", "--server-stdin"))
	case "revoke":
		return cli.Advise("did you mean %s?", cli.To("spd grant", "USER", "TENANT", "--revoke"))
	case "tenant create", "tenant delete", "tenant show", "login", "psql":
		return cli.Advise("that is a command of sp, which users run: sp %s --help", words)
	}
	return cli.Advice{}
}
