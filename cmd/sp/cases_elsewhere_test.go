package main

// notHere are the cases of the original that no test of sp's cites, and why.
var notHere = []struct{ cases, why string }{
	{"T9 T18 T29", "they read answers of the control plane, to which this sp does not talk; what a file says of a known tenant is T30 to T32"},
	{"T27", "nothing of sp's asks whether a tenant shares a container: shared_container_db is kept and shown"},
	{"T28", "the look-up that takes internal_database_url for a local tenant is no more: a local tenant has database_url and nothing else"},
	{"K5 K7", "the text form `tenant:ID` and the tagged form of a key stand in no file; sp has no type for a key, only the name of an entry"},
	{"S5", "nothing of sp's changes a session in place: a login replaces what authenticates it, in the same context"},
	{"S12", "sp prunes nothing, and neither does the original's command line: what has expired is told, until a login or a logout ends it"},
	{"I6 P7 P9", "sp reads credentials.json, and writes none: there is no login at a control plane yet"},
	{"C9", "an execution on another machine has no place in a registry"},
	{"C16", "sp maps no environment to a configuration: it has no colour, no editor and one form of answer; what it reads is one variable a flag"},
	{"C17 C18 H9 H37", "Docker and compose are the business of provisioning, which is not there yet"},
	{"C19", "which secrets an application needs to start is for the application to say; sp doctor looks at the registry and its files"},
	{"P2", "no configuration can name other files: --dir and SP_DIR name the directory, and tenants_path of a profile.yaml is not needed"},
	{"P8", "it asks the control plane"},
	{"P11", "sp warns of no token that is about to expire; session show counts down instead"},
	{"P12", "its texts are about an account at the control plane; which exit and hint a refusal has is the table of exits"},
	{"P13 P14", "no secret of a profile becomes a variable of the environment yet"},
	{"H1 H2 H3 H5 H10 H11 H12 H22 H23 H24 H25 H26 H29 H30", "they need the control plane: login, sync, rotation and deletion there"},
	{"H20 H31", "sp has no menus: a command without its subcommand is wrong usage, and a name that is taken is refused"},
	{"H18 H19", "sp tenant create connects to nothing yet: it registers the database that there is"},
	{"H36", "sp scaffolds no application: sp init makes the registry alone"},
}
