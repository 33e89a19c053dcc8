#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>

#include "client/cli/act.h"
#include "client/cli/approve.h"
#include "client/cli/board.h"
#include "client/cli/case.h"
#include "client/cli/case_who.h"
#include "client/cli/completion.h"
#include "client/cli/device.h"
#include "client/cli/doctor.h"
#include "client/cli/entry.h"
#include "client/cli/evidence.h"
#include "client/cli/export.h"
#include "client/cli/import.h"
#include "client/cli/join.h"
#include "client/cli/language.h"
#include "client/cli/ledger.h"
#include "client/cli/member.h"
#include "client/cli/org.h"
#include "client/cli/partner.h"
#include "client/cli/person.h"
#include "client/cli/policy.h"
#include "client/cli/practice.h"
#include "client/cli/print.h"
#include "client/cli/reconcile.h"
#include "client/cli/search.h"
#include "client/cli/status.h"
#include "crypto/init.h"
#include "protocol/join.h"
#include "transport/tls.h"

namespace godwit::cli {
namespace {

// What a command line asks for.
using Command = std::function<ExitCode(const Context& context)>;

// Each group declares its commands: CLI11 fills the options in, and the callback of the one that
// was named keeps what to run.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    app.require_subcommand(1);
    app.fallthrough();
    app.set_help_flag("-h,--help", std::string(Translatable("Print this help message and exit")));
    app.add_option("--profile", common_.profile,
                   "Which profile of this machine; needed where there are several")
        ->type_name("NAME");
    app.add_flag("--json", common_.json, "Write JSON, an object a line (docs/guide/json.md)");
    app.add_option("--passphrase-fd", common_.passphrase_fd,
                   "Read the passphrase from this descriptor, one line")
        ->type_name("N");
    app.add_flag("--no-agent", common_.no_agent, "Neither use nor start the agent");
    app.add_flag("--yes", common_.yes, "Answer questions with yes; not those about words");
    app.add_option("--language", language_,
                   "ko, th, zh_CN or en, instead of what LC_ALL, LC_MESSAGES or LANG says")
        ->check(CLI::IsMember({"ko", "th", "zh_CN", "en"}))
        ->type_name("LANGUAGE");
    app.footer(std::string(kExitCodesHelp));
    Org();
    Ledger();
    Member();
    Approve();
    Policy();
    Reconcile();
    Device();
    Case();
    Acts();
    Entries();
    Partners();
    Board();
    Export();
    Print();
    Import();
    Evidence();
    Here();
    Completion();
  }

  const CommonOptions& common() const { return common_; }
  const std::string& language() const { return language_; }

  // Runs a command line of this program here, as somebody's at no terminal.
  static ExitCode RunHere(std::vector<std::string> words, std::ostream& out, std::ostream& err) {
    CLI::App app("", "godwit");
    Commands commands(app);
    std::ranges::reverse(words);
    try {
      app.parse(std::move(words));
    } catch (const CLI::ParseError&) {
      return ExitCode::kUsage;
    }
    Output output({.json = commands.common().json}, out, err);
    Prompt prompt(std::nullopt, commands.common().yes);
    return commands.Run(Context{commands.common(), output, prompt});
  }

  // Runs what was asked for. That it is practice is said before anything can fail.
  ExitCode Run(const Context& context) const {
    (void)ChooseProfile(context);
    return chosen_(context);
  }

 private:
  // What completion offers of a command and those below it.
  static CommandNode NodeOf(const CLI::App& app) {
    CommandNode node{app.get_name(), app.get_description(), {}, {}};
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) node.options.push_back("--" + name);
    }
    for (const CLI::App* command : app.get_subcommands({})) {
      node.commands.push_back(NodeOf(*command));
    }
    return node;
  }
  void Completion() {
    CLI::App& completion =
        Add(app_, "completion", "Print the script by which a shell completes commands",
            "  source <(godwit completion bash)\n"
            "  godwit completion fish > ~/.config/fish/completions/godwit.fish\n",
            [this](const Context& c) {
              const auto script = CompletionScript(NodeOf(app_), shell_);
              if (!script) return c.output.Fail("print the script", script.error());
              std::cout << *script;
              return ExitCode::kOk;
            });
    completion.add_option("SHELL", shell_, "bash, zsh or fish")->required();
  }

  CLI::App& Group(const std::string& name, base::Literal what) {
    CLI::App& group = *app_.add_subcommand(name, std::string(what.text()));
    group.require_subcommand(1);
    group.fallthrough();
    return group;
  }
  // `examples`: lines, some of which say what they do behind three spaces or more.
  CLI::App& Add(CLI::App& group, const std::string& name, base::Literal what,
                const std::string& examples, Command run) {
    CLI::App& command = *group.add_subcommand(name, std::string(what.text()));
    command.fallthrough();
    command.footer(std::string(Translatable("Examples:")) + "\n" + examples);
    command.callback([this, run = std::move(run)] { chosen_ = run; });
    return command;
  }

  void Org() {
    CLI::App& group =
        Group("org", "Found an organisation, compare its fingerprints, look for faults");
    CLI::App& create =
        Add(group, "create", "Found an organisation in three empty realms",
            "  godwit org create --profile minji --handle minji --name 'Minji "
            "Example' --evaluation \\\n"
            "    --realm identity=127.0.0.1:7101,PIN,identity.claim \\\n"
            "    --realm cases=127.0.0.1:7102,PIN,cases.claim \\\n"
            "    --realm journeys=127.0.0.1:7103,PIN,journeys.claim\n"
            "  godwit org create --practice --realm ...    `./quickstart --practice` "
            "does all of it\n",
            [this](const Context& c) { return OrgCreate(c, org_create_, RunHere); });
    create.add_flag("--evaluation", org_create_.evaluation,
                    "To try Godwit out, not for real people: one person may found it");
    auto* practice = create.add_flag(
        "--practice", org_create_.practice,
        "To practise: invented people and cases, in profiles practice-... of this machine");
    create.add_option("--handle", org_create_.handle, "Your handle, as colleagues write it")
        ->excludes(practice);
    create.add_option("--name", org_create_.name, "Your name, as colleagues read it")
        ->excludes(practice);
    create
        .add_option(
            "--realm", org_create_.realms,
            "NAME=HOST:PORT,PIN,CLAIM: PIN and the claim as `godwit-admin` gave them; CLAIM "
            "is a file that only you can read, or fd:N; a draft needs none yet")
        ->type_name("REALM")
        ->allow_extra_args(false);
    create.add_option("--root-fd", org_create_.root_fd,
                      "Write the root keys there instead of on the terminal");
    create.add_flag("--discard-root", org_create_.discard_root,
                    "Throw the root keys away; with --evaluation, without --draft");
    auto* draft = create
                      .add_option("--draft", org_create_.draft,
                                  "Begin a draft that several founders add to and sign")
                      ->type_name("FILE");
    create
        .add_option("--founder", org_create_.founders,
                    "HANDLE=ROLES, once each: who signs the draft, as owner, admin or auditor; "
                    "you are owner and admin unless you say so here")
        ->needs(draft)
        ->type_name("FOUNDER")
        ->allow_extra_args(false);
    create
        .add_option("--owner-threshold", org_create_.owner_threshold,
                    "How many owners sign what owners sign; 2 if not given")
        ->needs(draft)
        ->check(CLI::Range(1, 16));
    create
        .add_option("--grant-threshold", org_create_.grant_threshold,
                    "How many owners or admins sign what grants other roles; 2 if not given")
        ->needs(draft)
        ->check(CLI::Range(1, 16));
    Add(group, "remove-practice", "Remove the profiles of a practice organisation",
        "  godwit org remove-practice\n", OrgRemovePractice);
    CLI::App& sign = Add(group, "sign", "Add yourself to a draft, then sign it",
                         "  godwit org sign org.draft --profile seol --handle seol --name 'Seol "
                         "Example'\n"
                         "  godwit org sign org.draft --profile seol     once all are there\n",
                         [this](const Context& c) { return OrgSign(c, org_sign_); });
    sign.add_option("FILE", org_sign_.draft)->required();
    sign.add_option("--handle", org_sign_.handle, "Yours in the draft; the first time");
    sign.add_option("--name", org_sign_.name, "Your name, as colleagues read it; the first time");
    CLI::App& publish =
        Add(group, "publish", "Make the organisation of a draft that all founders signed",
            "  godwit org publish org.draft --claim identity=identity.claim \\\n"
            "    --claim cases=cases.claim --claim journeys=journeys.claim\n",
            [this](const Context& c) { return OrgPublish(c, org_publish_); });
    publish.add_option("FILE", org_publish_.draft)->required();
    publish
        .add_option("--claim", org_publish_.claims,
                    "NAME=FILE, once a realm: the claim that `godwit-admin migrate` wrote; a file "
                    "that only you can read, or fd:N")
        ->required()
        ->type_name("CLAIM")
        ->allow_extra_args(false);
    publish.add_option("--root-fd", org_publish_.root_fd,
                       "Read the root keys there instead of from the terminal, a line each as they "
                       "were written");
    Add(group, "fingerprint", "Show the realms' fingerprints, to be compared with a colleague's",
        "  godwit org fingerprint\n", OrgFingerprint);
    Add(group, "doctor", "Say what is broken or weak in the organisation, and what to do about it",
        "  godwit org doctor          exit code 1 where something is broken\n"
        "  godwit org doctor --json\n",
        OrgDoctor);
    org_ = &group;
  }

  void Ledger() {
    CLI::App& group = *org_->add_subcommand(
        "ledger", "What imports need: see what is missing, make, name, admit");
    group.fallthrough();
    group.footer(
        "Examples:\n"
        "  godwit org ledger                          what is missing, and who does it\n"
        "  godwit org ledger make                     an intake member, once\n"
        "  godwit org ledger name IDENTITY CASES      an owner, with the two ids\n"
        "  godwit org ledger admit HANDLE             an intake member lists another\n");
    group.callback([this] {
      if (!chosen_) chosen_ = LedgerShow;
    });
    Add(group, "make", "Make both ledgers (intake)", "  godwit org ledger make\n", LedgerMake);
    CLI::App& name = Add(group, "name", "Name the ledgers in each realm (owner)",
                         "  godwit org ledger name 0123... 4567...\n",
                         [this](const Context& c) { return LedgerName(c, ledger_name_); });
    name.add_option("IDENTITY_VAULT", ledger_name_.identity_vault)->required();
    name.add_option("CASES_VAULT", ledger_name_.cases_vault)->required();
    CLI::App& admit = Add(group, "admit", "List another intake member (intake)",
                          "  godwit org ledger admit haneul\n",
                          [this](const Context& c) { return LedgerAdmit(c, ledger_handle_); });
    admit.add_option("HANDLE", ledger_handle_)->required();
  }

  void Member() {
    CLI::App& group = Group("member", "Invite, join, list, change and remove people");
    CLI::App& invite =
        Add(group, "invite", "Invite people, and wait until they have joined",
            "  godwit member invite haneul --name 'Haneul Specimen' --roles caseworker\n"
            "  godwit member invite --file people.csv     handle,name,roles; or .toml\n"
            "  godwit member invite haneul --roles intake   whoever comes back, or lacks a realm\n",
            [this](const Context& c) { return MemberInvite(c, member_invite_); });
    auto* handle = invite.add_option("HANDLE", member_invite_.handle, "A handle nobody else has");
    invite.add_option("--name", member_invite_.name, "The name that colleagues read");
    invite.add_option("--roles", member_invite_.roles,
                      "owner, admin, auditor, caseworker, supervisor, intake, coordinator, route; "
                      "several with commas");
    invite.add_option("--file", member_invite_.file, "Many at once")->excludes(handle);
    AddWait(invite, member_invite_.wait);

    CLI::App& join =
        Add(group, "join", "Join with the invitations that you were handed",
            "  godwit member join --profile haneul\n"
            "  godwit member join --profile haneul --invitation-fd 3 3<invitations\n",
            [this](const Context& c) { return Join(c, join_, protocol::kOfferMember); });
    AddJoin(join);

    CLI::App& list = Add(group, "list", "Show who belongs, with roles by realm",
                         "  godwit member list\n  godwit member list --all --json\n",
                         [this](const Context& c) { return MemberList(c, member_list_); });
    list.add_flag("--all", member_list_.all, "Those who were removed, too");
    AddOffline(list, member_list_.offline);

    CLI::App& role =
        Add(group, "role", "Give a person other roles; dropping your own needs nobody else",
            "  godwit member role haneul --roles caseworker,supervisor\n"
            "\nThe roles are all that the person shall have, over all realms. Where others must "
            "sign\nit waits; run it again then.\n",
            [this](const Context& c) { return MemberRole(c, member_role_); });
    role.add_option("HANDLE", member_role_.handle)->required();
    role.add_option("--roles", member_role_.roles, "As `member invite` takes them")->required();

    CLI::App& remove = Add(group, "remove", "Remove a person from every realm",
                           "  godwit member remove haneul --reason left\n",
                           [this](const Context& c) { return MemberRemove(c, member_remove_); });
    remove.add_option("HANDLE", member_remove_.handle)->required();
    remove.add_option("--reason", member_remove_.reason, "left, dismissed, compromised or lost")
        ->required();
  }

  void Approve() {
    CLI::App& approve =
        Add(app_, "approve", "Show what waits for signatures, sign it or close it",
            "  godwit approve                     what waits, and what it would do\n"
            "  godwit approve 3f09a1b2            sign it\n"
            "  godwit approve all                 sign all that waits for you\n"
            "  godwit approve --close 3f09a1b2    end it without effect\n",
            [this](const Context& c) { return ApproveCommand(c, approve_); });
    approve.add_option("LINK", approve_.links, "As `godwit approve` shows it, or `all`");
    approve.add_flag("--close", approve_.close, "End it without effect instead");
  }

  void Policy() {
    CLI::App& group = Group("policy", "Show and change what a realm's owners agreed on");
    CLI::App& show = Add(group, "show", "Show the policies of your realms",
                         "  godwit policy show\n  godwit policy show --realm cases --json\n",
                         [this](const Context& c) { return PolicyShow(c, policy_show_); });
    show.add_option("--realm", policy_show_.realm, "Of identity, cases or journeys alone");
    CLI::App& set =
        Add(group, "set", "Change the policies of your realms (owner)",
            "  godwit policy set owner_threshold=2 grant_threshold=2\n"
            "  godwit policy set --realm identity identity_window_s=604800\n"
            "\nFields: owner_threshold, grant_threshold, fresh_s, hold_s, recovery_delay_s,\n"
            "kdf_ops, kdf_mem, identity_window_s (numbers); small_org, device_add_needs_admin\n"
            "(yes or no)\n",
            [this](const Context& c) { return PolicySetCommand(c, policy_set_); });
    set.add_option("--realm", policy_set_.realm, "Of identity, cases or journeys alone");
    set.add_option("FIELD=VALUE", policy_set_.fields)->required();
  }

  void Reconcile() {
    CLI::App& reconcile =
        Add(app_, "reconcile", "Repair the vaults that you manage: members, keys, their age",
            "  godwit reconcile --dry-run                 who would gain access to what, and why\n"
            "  godwit reconcile                           the same, and do it after a question\n"
            "  godwit reconcile --realm cases --yes\n"
            "  godwit reconcile --hide-history            newcomers read no older revisions\n"
            "\nWith --hide-history what is there is signed anew by you.\n",
            [this](const Context& c) { return ReconcileCommand(c, reconcile_); });
    reconcile.add_flag("--dry-run", reconcile_.dry_run, "Show the plan alone");
    reconcile.add_flag("--hide-history", reconcile_.hide_history,
                       "Newcomers read what is there now, and none of its history");
    reconcile.add_option("--realm", reconcile_.realm, "Of identity, cases or journeys alone");
  }

  void Device() {
    CLI::App& group = Group("device", "Add, join, list, confirm and revoke devices");
    CLI::App& add = Add(group, "add", "Invite another device of your own, and wait for it",
                        "  godwit device add            here; then on the new device:\n"
                        "  godwit device join --profile haneul\n",
                        [this](const Context& c) { return DeviceAdd(c, device_add_); });
    AddWait(add, device_add_.wait);
    CLI::App& join =
        Add(group, "join", "Make this device another one of yours",
            "  godwit device join --profile haneul\n"
            "  godwit device join --profile haneul --invitation-fd 3 3<invitations\n",
            [this](const Context& c) { return Join(c, join_, protocol::kOfferDevice); });
    AddJoin(join);
    CLI::App& confirm = Add(group, "confirm", "Say that what an alarm names is your own",
                            "  godwit device confirm 8f3a0c11d2e4\n",
                            [this](const Context& c) { return DeviceConfirm(c, device_confirm_); });
    confirm.add_option("ID", device_confirm_.id, "The beginning of it, as the alarm shows it")
        ->required();
    CLI::App& list = Add(group, "list", "Show your devices",
                         "  godwit device list\n  godwit device list --everybody\n",
                         [this](const Context& c) { return DeviceList(c, device_list_); });
    list.add_flag("--everybody", device_list_.everybody, "Everybody's");
    list.add_flag("--all", device_list_.all, "Revoked ones, too");
    CLI::App& revoke = Add(group, "revoke", "Revoke a device: its session ends within a second",
                           "  godwit device revoke haneul --reason lost\n"
                           "  godwit device revoke 8f3a0c11 --reason retired\n",
                           [this](const Context& c) { return DeviceRevoke(c, device_revoke_); });
    revoke
        .add_option("TARGET", device_revoke_.target, "A handle, or the beginning of a device's id")
        ->required();
    revoke.add_option("--reason", device_revoke_.reason, "lost, retired or compromised")
        ->required();
  }

  void Case() {
    CLI::App& group = Group("case", "Open, list, show and change cases");
    CLI::App& open =
        Add(group, "open", "Open a case as its caseworker",
            "  godwit case open --supervisor minji summary.risk=high summary.sex=female\n"
            "  godwit case open --supervisor minji --from person.txt   with lines such as\n"
            "    summary.consent.store_identity = yes\n"
            "    identity_profile.names[0].full = 리보기\n",
            [this](const Context& c) { return CaseOpen(c, case_open_); });
    open.add_option("--supervisor", case_open_.supervisor, "The supervisor's handle")->required();
    open.add_option("FACT", case_open_.facts, "summary.FIELD=VALUE or case.FIELD=VALUE");
    AddFrom(open, case_open_.from);
    CLI::App& list = Add(group, "list", "Show your cases",
                         "  godwit case list\n  godwit case list --offline --json\n",
                         [this](const Context& c) { return CaseList(c, case_list_); });
    AddOffline(list, case_list_.offline);
    CLI::App& show = Add(group, "show", "Show a case", "  godwit case show '7K3M-Q9TX-2A*'\n",
                         [this](const Context& c) { return CaseShow(c, case_show_); });
    show.add_option("CODE", case_show_.code)->required();
    AddOffline(show, case_show_.offline);
    CLI::App& who = Add(group, "who", "Show who can read a case, who could, and who wrote in it",
                        "  godwit case who '7K3M-Q9TX-2A*'\n"
                        "  godwit case who '7K3M-Q9TX-2A*' --offline --json\n",
                        [this](const Context& c) { return CaseWho(c, case_who_); });
    who.add_option("CODE", case_who_.code)->required();
    AddOffline(who, case_who_.offline);
    CLI::App& edit = Add(group, "edit", "Change facts of a case",
                         "  godwit case edit '7K3M-Q9TX-2A*' summary.risk=medium\n"
                         "  godwit case edit '7K3M-Q9TX-2A*' --from facts.txt\n",
                         [this](const Context& c) { return CaseEdit(c, case_edit_); });
    edit.add_option("CODE", case_edit_.code)->required();
    edit.add_option("FACT", case_edit_.facts, "summary.FIELD=VALUE or case.FIELD=VALUE");
    AddFrom(edit, case_edit_.from);
    CLI::App& note = Add(group, "note", "Add a note for the caseworker and the supervisor",
                         "  godwit case note '7K3M-Q9TX-2A*' --from note.txt\n"
                         "  godwit case note '7K3M-Q9TX-2A*'        typed, ended with Ctrl-D\n",
                         [this](const Context& c) { return CaseNote(c, case_note_); });
    note.add_option("CODE", case_note_.code)->required();
    note.add_option("--from", case_note_.from, "A file with the text; - for stdin")
        ->type_name("FILE");

    case_ = &group;
    CLI::App& person = Group("person", "The people whom you work for, and whose case is whose");
    CLI::App& person_list = Add(person, "list", "Show them", "  godwit person list\n",
                                [this](const Context& c) { return PersonList(c, person_); });
    AddOffline(person_list, person_.offline);
    CLI::App& person_add =
        Add(person, "add", "Register somebody who has no case",
            "  godwit person add --supervisor minji --consents --from person.txt\n"
            "    with lines such as  names[0].full = 리보기\n",
            [this](const Context& c) { return PersonAdd(c, person_); });
    person_add.add_option("--supervisor", person_.supervisor, "The supervisor's handle")
        ->required();
    person_add.add_flag("--consents", person_.consents, "They agree that their name is stored");
    AddFrom(person_add, person_.from);
    CLI::App& draft = Add(
        person, "draft", "Register somebody while your keys are locked, asking no passphrase",
        "  godwit person draft --supervisor minji --from person.txt   lines as of `case open`\n"
        "  godwit person draft --take-in     make cases of what waits; `godwit sync` does, too\n"
        "  godwit person draft --discard 3f09a1b2\n"
        "\nIt is sealed to your own key: nobody reads it back here, you neither, until you "
        "unlock.\n",
        [this](const Context& c) { return PersonDraft(c, draft_); });
    draft.add_option("--supervisor", draft_.supervisor,
                     "The supervisor's handle; with --take-in, instead of the one of the draft");
    AddFrom(draft, draft_.from);
    auto* take_in = draft.add_flag("--take-in", draft_.take_in, "Make cases of what waits");
    draft.add_option("--discard", draft_.discard, "Give one up unread, by the beginning of its id")
        ->type_name("ID")
        ->excludes(take_in);
    CLI::App& person_edit =
        Add(person, "edit", "Change what is known of somebody",
            "  godwit person edit 3f09a1b2 --from person.txt      by the id of `person list`\n"
            "  godwit person edit '7K3M-Q9TX-2A*' --from person.txt\n",
            [this](const Context& c) { return PersonEdit(c, person_); });
    person_edit.add_option("PERSON", person_.person)->required();
    AddFrom(person_edit, person_.from);
    CLI::App& link =
        Add(person, "link", "Say whose case a case is; whoever it named before is let go",
            "  godwit person link '7K3M-Q9TX-2A*' 3f09a1b2\n",
            [this](const Context& c) { return PersonLink(c, person_); });
    link.add_option("CODE", person_.code)->required();
    link.add_option("PERSON", person_.person, "The beginning of an id of `person list`")
        ->required();
    CLI::App& unlink = Add(person, "unlink", "Take a wrong link away, on both sides",
                           "  godwit person unlink '7K3M-Q9TX-2A*'\n",
                           [this](const Context& c) { return PersonUnlink(c, person_); });
    unlink.add_option("CODE", person_.code)->required();
    CLI::App& person_ask = Add(person, "ask", "Ask to read a person whom you manage (supervisor)",
                               "  godwit person ask '7K3M-Q9TX-2A*' --hours 24 --reason 3\n",
                               [this](const Context& c) { return PersonAsk(c, ask_); });
    person_ask.add_option("--hours", ask_.hours, "For how long, at most 72")
        ->check(CLI::Range(1, 72));
    person_ask.add_option("--reason", ask_.reason, "A code of your organisation's")
        ->check(CLI::Range(0, 65535));
    CLI::App& person_assent =
        Add(person, "assent", "Let a supervisor who asked read a person, or not",
            "  godwit person assent '7K3M-Q9TX-2A*'\n  godwit person assent '7K3M-Q9TX-2A*' --no\n",
            [this](const Context& c) { return PersonAssent(c, ask_); });
    person_assent.add_flag("--no", ask_.no, "Refuse");
    for (CLI::App* each : {&person_ask, &person_assent}) {
      each->add_option("CODE", ask_.code)->required();
    }
    CLI::App& family = Group("family", "Families, or registration groups");
    CLI::App& family_list = Add(family, "list", "Show them", "  godwit family list\n",
                                [this](const Context& c) { return FamilyList(c, family_); });
    AddOffline(family_list, family_.offline);
    CLI::App& make = Add(family, "make", "Make one of people whom you work for",
                         "  godwit family make --supervisor minji 3f09a1b2=principal_applicant "
                         "9b2c4d5e=child\n",
                         [this](const Context& c) { return FamilyMake(c, family_); });
    make.add_option("--supervisor", family_.supervisor, "The supervisor's handle")->required();
    CLI::App& set =
        Add(family, "set", "Add somebody, or change what is said of them",
            "  godwit family set 7d01aa20 9b2c4d5e=child --together no --separated-since 2030\n",
            [this](const Context& c) { return FamilySet(c, family_); });
    CLI::App& remove = Add(family, "remove", "Take somebody out who does not belong",
                           "  godwit family remove 7d01aa20 9b2c4d5e\n",
                           [this](const Context& c) { return FamilyRemove(c, family_); });
    for (CLI::App* each : {&set, &remove}) {
      each->add_option("FAMILY", family_.family, "The beginning of its id")->required();
    }
    for (CLI::App* each : {&make, &set, &remove}) {
      each->add_option("PERSON=ROLE", family_.members,
                       "principal_applicant, spouse, child, dependant or other")
          ->required();
    }
    set.add_option("--together", family_.together, "yes, no, ...: whether they are together");
    set.add_option("--separated-since", family_.separated_since, "2030, 2030-04, 2030-04-30");
    CLI::App& person_show =
        Add(person, "show", "Show the person of a case", "  godwit person show '7K3M-Q9TX-2A*'\n",
            [this](const Context& c) { return PersonShow(c, person_show_); });
    person_show.add_option("CODE", person_show_.code)->required();
    AddOffline(person_show, person_show_.offline);
  }

  // What moves a case.
  CLI::App& Act(const std::string& name, base::Literal what, const std::string& examples,
                ExitCode (*run)(const Context&, const ActOptions&)) {
    CLI::App& command =
        Add(*case_, name, what, examples, [this, run](const Context& c) { return run(c, act_); });
    command.add_option("CODE", act_.code)->required();
    return command;
  }
  static void AddReason(CLI::App& command, std::string& reason) {
    command.add_option("--reason", reason, "Why: goals_met, unreachable, declined, ...");
  }
  static void AddRestsOn(CLI::App& command, std::string& rests_on) {
    command
        .add_option("--incident", rests_on,
                    "The beginning of the id of the record that it rests on")
        ->type_name("ID");
  }
  void Acts() {
    CLI::App& stage = Act("stage", "Move a case to another stage",
                          "  godwit case stage '7K3M-Q9TX-2A*' screening\n", CaseStage);
    stage.add_option("STAGE", act_.to)->required();
    AddReason(stage, act_.reason);
    AddRestsOn(stage, act_.rests_on);
    CLI::App& condition =
        Act("condition", "Say how a case is, beside its stage",
            "  godwit case condition '7K3M-Q9TX-2A*' on_hold\n"
            "  godwit case condition '7K3M-Q9TX-2A*' detained --incident 3f09a1b2\n",
            CaseCondition);
    condition.add_option("CONDITION", act_.to)->required();
    AddRestsOn(condition, act_.rests_on);
    CLI::App& ask = Act("ask", "Ask for an approval (caseworker)",
                        "  godwit case ask '7K3M-Q9TX-2A*' assessment\n", CaseAsk);
    ask.add_option("WHAT", act_.to, "assessment, plan or closure")->required();
    CLI::App& assent =
        Act("assent", "Approve what was asked for, or assent as the second person",
            "  godwit case assent '7K3M-Q9TX-2A*' plan\n"
            "  godwit case assent '7K3M-Q9TX-2A*' assessment --no\n"
            "  godwit case assent '7K3M-Q9TX-2A*' close        a closure that needs two\n"
            "  godwit case assent '7K3M-Q9TX-2A*' override     something told without consent\n",
            CaseAssent);
    assent.add_option("WHAT", act_.to, "assessment, plan, closure, close or override")->required();
    assent.add_flag("--no", act_.no, "Reject it");
    CLI::App& close =
        Add(*case_, "close", "Close cases: ask, approve or do it, as far as you may",
            "  godwit case close '7K3M-Q9TX-2A*' --reason goals_met --follow-up yes\n"
            "  godwit case close '7K3M-Q9TX-2A*' --incident 3f09a1b2   of somebody who died\n"
            "  godwit case close '7K3M-Q9TX-2A*' '9B2C-4D5E-6F7'       several, after a question\n",
            [this](const Context& c) { return CaseClose(c, close_); });
    close.add_option("CODE", close_.codes)->required();
    AddReason(close, close_.reason);
    AddRestsOn(close, close_.rests_on);
    close.add_option("--follow-up", close_.follow_up, "Whether follow-up is agreed: yes, no, ...");
    close.add_flag("--dry-run", close_.dry_run, "Show them alone");
    Act("review", "End an override of a person's consent, reviewed (supervisor)",
        "  godwit case review '7K3M-Q9TX-2A*'\n", CaseReview);
    Act("trim", "After an accepted transfer: delete all but the case's status",
        "  godwit case trim '7K3M-Q9TX-2A*'\n", CaseTrim);
    CLI::App& reopen =
        Act("reopen", "Open a closed case again (coordinator)",
            "  godwit case reopen '7K3M-Q9TX-2A*' --reason unreachable\n", CaseReopen);
    AddReason(reopen, act_.reason);
    CLI::App& merge =
        Act("merge", "Close a case as a duplicate of another (coordinator)",
            "  godwit case merge '7K3M-Q9TX-2A*' --into '9B2C-4D5E-6F7'\n", CaseMerge);
    merge.add_option("--into", act_.into, "The case that stays")->required();
    CLI::App& interests =
        Act("best-interests", "Record that best interests were assessed or determined (supervisor)",
            "  godwit case best-interests '7K3M-Q9TX-2A*' bia\n", CaseBestInterests);
    interests.add_option("WHICH", act_.to, "bia or bid")->required();
    interests.add_flag("--no", act_.no, "It was not, after all");

    CLI::App& assign = Add(*case_, "assign", "Hand cases over to another caseworker",
                           "  godwit case assign --to haneul '7K3M-Q9TX-2A*'\n"
                           "  godwit case assign --to haneul --all-of seol --dry-run\n",
                           [this](const Context& c) { return CaseAssign(c, assign_); });
    assign.add_option("--to", assign_.caseworker, "The caseworker's handle")->required();
    assign.add_option("--all-of", assign_.from, "All cases of this caseworker");
    assign.add_flag("--dry-run", assign_.dry_run, "Show them alone");
    assign.add_option("CODE", assign_.codes);
    CLI::App& history = Add(*case_, "history", "Show the steps of a case, and who took them",
                            "  godwit case history '7K3M-Q9TX-2A*'\n",
                            [this](const Context& c) { return CaseHistory(c, history_); });
    history.add_option("CODE", history_.code)->required();
    AddOffline(history, history_.offline);
    CLI::App& comment =
        Add(*case_, "comment", "Write to a colleague, or mark as read what they wrote",
            "  godwit case comment '7K3M-Q9TX-2A*' --to minji --from question.txt\n"
            "  godwit case comment '7K3M-Q9TX-2A*' --in case     short, for coordinators\n"
            "  godwit case comment '7K3M-Q9TX-2A*' --read\n",
            [this](const Context& c) { return CaseComment(c, comment_); });
    comment.add_option("CODE", comment_.code)->required();
    comment.add_option("--to", comment_.to, "A colleague's handle");
    comment.add_option("--in", comment_.in, "Of case, sensitive or person; sensitive if not given");
    AddFrom(comment, comment_.from);
    comment.add_flag("--read", comment_.read, "Mark what was written to you as read");
    CLI::App& task =
        Add(*case_, "task", "Note what is to be done, or that it is",
            "  godwit case task '7K3M-Q9TX-2A*' --due 2031-05-06 --kind review --to seol\n"
            "  godwit case task '7K3M-Q9TX-2A*' --done 3f09a1b2\n",
            [this](const Context& c) { return CaseTask(c, task_); });
    task.add_option("CODE", task_.code)->required();
    task.add_option("--kind", task_.kind, "follow_up, review, medical_note, referral, other, ...");
    task.add_option("--due", task_.due, "The day, as 2031-05-06");
    task.add_option("--to", task_.to, "A colleague's handle; yourself if not given");
    task.add_option("--in", task_.in, "Of case, sensitive or person; sensitive if not given");
    AddFrom(task, task_.from);
    task.add_option("--done", task_.done, "The beginning of the id of a task")->type_name("ID");
    CLI::App& conflict = Add(*case_, "conflict", "Choose between two values of one field",
                             "  godwit case conflict '7K3M-Q9TX-2A*' 3f09a1b2 other\n",
                             [this](const Context& c) { return CaseConflict(c, conflict_); });
    conflict.add_option("CODE", conflict_.code)->required();
    conflict.add_option("ID", conflict_.id, "As `godwit case show` has it")->required();
    conflict.add_option("WHICH", conflict_.choose, "kept, what stands, or other")->required();

    CLI::App& consent = Add(app_, "consent", "Show, record or withdraw what a person agreed to",
                            "  godwit consent '7K3M-Q9TX-2A*'\n"
                            "  godwit consent '7K3M-Q9TX-2A*' services=yes share_unhcr=?refused\n"
                            "  godwit consent '7K3M-Q9TX-2A*' --withdraw\n",
                            [this](const Context& c) { return Consent(c, consent_); });
    consent.add_option("CODE", consent_.code)->required();
    consent.add_option("PURPOSE=ANSWER", consent_.facts);
    AddFrom(consent, consent_.from);
    consent.add_flag("--withdraw", consent_.withdraw, "Answer no to all that was yes");
    CLI::App& screening =
        Add(app_, "screening", "Show or record the security screening (coordinator)",
            "  godwit screening '7K3M-Q9TX-2A*'\n"
            "  godwit screening '7K3M-Q9TX-2A*' --from screening.txt    with lines such as\n"
            "    state = doubt\n    grounds = ...\n    doubt_accepted = yes\n",
            [this](const Context& c) { return Screening(c, screening_); });
    screening.add_option("CODE", screening_.code)->required();
    AddFrom(screening, screening_.from);
    CLI::App& today = Add(app_, "today", "Show what waits for you",
                          "  godwit today\n  godwit today --offline --json\n",
                          [this](const Context& c) { return TodayShow(c, today_); });
    AddOffline(today, today_.offline);
    CLI::App& search =
        Add(app_, "search", "Find names, in any script and spelling, and words in what you read",
            "  godwit search                      asks what for, at the terminal\n"
            "  godwit search --from - < words     no argument: others would see it\n"
            "\nLooks at what is on this device, and asks no service.\n",
            [this](const Context& c) { return SearchCommand(c, search_); });
    search.add_option("--from", search_.from, "A file with the words; - for stdin")
        ->type_name("FILE");
    search.add_option("--limit", search_.limit, "At most so many lines");
    CLI::App& outbox = Add(app_, "outbox", "Show what waits to be sent, and why",
                           "  godwit outbox\n  godwit outbox --discard cases:7\n",
                           [this](const Context& c) { return OutboxShow(c, outbox_); });
    outbox.add_option("--discard", outbox_.discard, "Give one up, by its id")->type_name("ID");
  }

  void Partners() {
    CLI::App& group = Group("partner", "Whom the organisation works with, and what is agreed");
    CLI::App& add =
        Add(group, "add", "Record one (owner or admin)",
            "  godwit partner add 'name=Invented Clinic' services=health_medical \\\n"
            "    agreements[0].scope=need,summary.sex agreements[0].until_day=2031-12-31\n",
            [this](const Context& c) { return PartnerAdd(c, partner_); });
    CLI::App& edit = Add(group, "edit", "Change one (owner or admin)",
                         "  godwit partner edit 3f09a1b2 agreements[0].revoked=yes\n",
                         [this](const Context& c) { return PartnerEdit(c, partner_); });
    CLI::App& strike = Add(group, "strike", "Work with one no more (owner or admin)",
                           "  godwit partner strike 3f09a1b2\n",
                           [this](const Context& c) { return PartnerStrike(c, partner_); });
    CLI::App& list = Add(group, "list", "Show them", "  godwit partner list\n",
                         [this](const Context& c) { return PartnerList(c, partner_); });
    for (CLI::App* each : {&edit, &strike}) {
      each->add_option("ID", partner_.id, "The beginning of its id, as `list` shows it")
          ->required();
    }
    for (CLI::App* each : {&add, &edit}) {
      each->add_option("FIELD=VALUE", partner_.facts,
                       "name, services, reach; agreements[0].scope, purposes, until_day, revoked");
      AddFrom(*each, partner_.from);
    }
    AddOffline(list, partner_.offline);
    list.add_flag("--all", partner_.all, "Those that were struck, too");
  }

  // The records that people fill in: a group of commands each.
  void Entries() {
    for (const client::EntryKind& kind : client::EntryKinds()) {
      const std::string name(kind.name);
      CLI::App& group = Group(name, EntryHelp(kind.name));
      const auto with = [this, &kind](ExitCode (*run)(const Context&, const EntryOptions&)) {
        return [this, &kind, run](const Context& c) {
          EntryOptions options = entry_;
          options.kind = &kind;
          return run(c, options);
        };
      };
      const std::string call = "  godwit " + name + " ";
      const std::string example = kind.plain ? " FIELD=VALUE ...\n" : " --from facts.txt\n";
      CLI::App& add =
          Add(group, "add",
              kind.single ? base::Literal("Write it, or change it") : base::Literal("Add one"),
              call + "add '7K3M-Q9TX-2A*'" + example, with(EntryAdd));
      CLI::App& edit = Add(group, "edit", "Change one",
                           call + "edit '7K3M-Q9TX-2A*' 3f09a1b2" + example, with(EntryEdit));
      CLI::App& strike =
          Add(group, "strike", "Mark one as entered in error; it stays, and counts for nothing",
              call + "strike '7K3M-Q9TX-2A*' 3f09a1b2\n", with(EntryStrike));
      CLI::App& list =
          Add(group, "list", "Show them", call + "list '7K3M-Q9TX-2A*'\n", with(EntryList));
      for (CLI::App* each : {&add, &edit, &strike, &list}) {
        each->add_option("CODE", entry_.code)->required();
      }
      for (CLI::App* each : {&edit, &strike}) {
        each->add_option("ID", entry_.id, "The beginning of its id, as `list` shows it")
            ->required();
      }
      for (CLI::App* each : {&add, &edit}) {
        each->add_option("FIELD=VALUE", entry_.facts,
                         "?unknown, ?not_asked, ?refused, ?not_applicable say why there is none");
        AddFrom(*each, entry_.from);
      }
      AddOffline(list, entry_.offline);
      list.add_flag("--all", entry_.all, "Those entered in error, too");
    }
  }
  static base::Literal EntryHelp(std::string_view name) {
    if (name == "need") return base::Literal("Specific needs of a person (sensitive)");
    if (name == "assessment") return base::Literal("The assessment (sensitive)");
    if (name == "plan") return base::Literal("The case plan (sensitive)");
    if (name == "trafficking") return base::Literal("What is known of trafficking (sensitive)");
    if (name == "best-interests")
      return base::Literal("Best interests: assessment, determination (sensitive)");
    if (name == "observation")
      return base::Literal("What was observed that bears on security (sensitive)");
    if (name == "narrative")
      return base::Literal("What happened in an incident, in words (sensitive)");
    if (name == "service") return base::Literal("Services, planned or given, and their cost");
    if (name == "follow-up") return base::Literal("Follow-up: what is due when");
    if (name == "incident") return base::Literal("Incidents, as far as coordinators see them");
    if (name == "authority") return base::Literal("Steps of the process by authorities");
    if (name == "referral")
      return base::Literal("Referrals: what is told to whom who gives a service, by consent");
    if (name == "transfer")
      return base::Literal("Transfers: the case goes to another organisation");
    if (name == "document") return base::Literal("Identity documents of a person");
    if (name == "kin") return base::Literal("Kin of a person");
    if (name == "contact") return base::Literal("How to reach a person");
    return base::Literal("Tracing requests of a person");
  }

  void Board() {
    CLI::App& board =
        Add(app_, "board", "Show all open cases, those overdue first, or write them to a file",
            "  godwit board\n"
            "  godwit board --stage in_transit,ready --risk high --limit 20\n"
            "  godwit board --caseworker haneul --approval-waits --sort due,-days\n"
            "  godwit board --watch                                live, until Ctrl-C\n"
            "  godwit board --status closed --export closed.csv    codes, no names\n",
            [this](const Context& c) { return BoardShow(c, board_); });
    const auto values = [&](const std::string& option, const std::string& field,
                            base::Literal what) {
      AddList(board, "--" + option, board_.filter.values[field], what);
    };
    values("stage", "stage", "Of these stages alone, with commas");
    values("status", "status", "Of these: open, closed, ...");
    values("condition", "condition", "Of these: detained, missing, ...");
    values("risk", "risk", "Of these: high, medium, ...");
    values("population", "population", "Of these groups");
    values("flag", "flags", "With one of these flags");
    AddList(board, "--caseworker", board_.filter.caseworkers, "Of these caseworkers, by handle");
    AddList(board, "--supervisor", board_.filter.supervisors, "Of these supervisors, by handle");
    board.add_flag("--approval-waits", board_.filter.approval_waits,
                   "Where an assessment, a plan or a closure waits for an answer");
    board.add_flag("--overdue", board_.filter.overdue, "What is overdue alone");
    board.add_flag("--closed", board_.filter.closed, "Closed cases, too");
    AddList(board, "--sort", board_.sort,
            "code, stage, status, condition, risk, population, caseworker, supervisor, days, due "
            "or overdue, with a minus before it the other way round; several with commas");
    board.add_option("--limit", board_.limit, "At most so many lines");
    auto* watch = board.add_flag("--watch", board_.watch,
                                 "Go on, and show changes as they come, until Ctrl-C");
    board
        .add_option("--export", board_.export_to,
                    "Write them to this file instead, as a spreadsheet (CSV) of codes")
        ->excludes(watch)
        ->type_name("FILE");
    AddOffline(board, board_.offline).excludes(watch);
  }

  void Export() {
    CLI::App& exported =
        Add(app_, "export", "Write one case of your own to a file that anybody can read",
            "  godwit export '7K3M-Q9TX-2A*' --out case.json\n",
            [this](const Context& c) { return ExportCase(c, export_); });
    exported.add_option("CODE", export_.codes, "Of one case: many at once are refused")->required();
    exported.add_option("--out", export_.out, "The file, which is made; with --yes written over")
        ->required()
        ->type_name("FILE");
    AddOffline(exported, export_.offline);
  }

  void Print() {
    CLI::App& group = Group("print", "Make PDF files for paper");
    CLI::App& form =
        Add(group, "consent-form", "The form on which a person answers and signs",
            "  godwit print consent-form --language ko --out form.pdf       blank\n"
            "  godwit print consent-form '7K3M-Q9TX-2A*' --out form.pdf     as it was answered\n",
            [this](const Context& c) { return PrintConsentForm(c, print_); });
    form.add_option("CODE", print_.code, "Of a case: with what its person answered");
    CLI::App& card =
        Add(group, "case-card", "One page on how a case stands, in codes: no name, no words",
            "  godwit print case-card '7K3M-Q9TX-2A*' --out card.pdf\n"
            "  godwit print case-card '7K3M-Q9TX-2A*' --language th --out card.pdf\n",
            [this](const Context& c) { return PrintCaseCard(c, print_); });
    card.add_option("CODE", print_.code)->required();
    CLI::App& referral =
        Add(group, "referral", "The letter to whom a referral or transfer goes, as consent allows",
            "  godwit print referral '7K3M-Q9TX-2A*' 3f09a1b2 --out letter.pdf\n"
            "  godwit print referral '7K3M-Q9TX-2A*' 3f09a1b2 --language zh --out letter.pdf\n",
            [this](const Context& c) { return PrintReferral(c, print_); });
    referral.add_option("CODE", print_.code)->required();
    referral.add_option("ID", print_.id, "The beginning of its id, as `referral list` shows it")
        ->required();
    CLI::App& withdrawal =
        Add(group, "withdrawal",
            "The letter to whoever took their consent back: what was already shared with whom",
            "  godwit print withdrawal '7K3M-Q9TX-2A*' --language ko --out letter.pdf\n",
            [this](const Context& c) { return PrintWithdrawal(c, print_); });
    withdrawal.add_option("CODE", print_.code)->required();
    for (CLI::App* each : {&form, &card, &referral, &withdrawal}) {
      each->add_option("--language", print_.language, "en, ko, zh or th; en if not given")
          ->type_name("LANGUAGE");
      each->add_option("--out", print_.out, "The file, which is made; with --yes written over")
          ->required()
          ->type_name("FILE");
      AddOffline(*each, print_.offline);
    }
  }

  void ImportOf(CLI::App& group, client::Subject subject, const std::string& name,
                base::Literal what, ImportOptions& options) {
    options.subject = subject;
    const std::string call = "  godwit import " + name + " " + name + ".csv --mapping mapping.toml";
    CLI::App& command = Add(group, name, what, call + " --dry-run\n" + call + "\n",
                            [&options](const Context& c) { return ImportFile(c, options); });
    command.add_option("FILE", options.file)->required();
    command.add_option("--mapping", options.mapping, "What the columns mean, as TOML")->required();
    command.add_flag("--dry-run", options.dry_run,
                     "Say what would not map; needs no keys and no network");
    command.add_option("--handles", options.handles,
                       "A file with a handle a line, to check those of a dry run");
    command.add_flag("--skip-refused", options.skip_refused,
                     "Import the other rows where some do not map");
  }
  void Import() {
    CLI::App& group = Group("import", "Import cases and people from files");
    ImportOf(group, client::Subject::kCases, "cases",
             "Import a CSV file of cases with a mapping (intake)", import_cases_);
    ImportOf(group, client::Subject::kPeople, "people",
             "Import a CSV file of people who have no case yet (intake)", import_people_);
    CLI::App& sample = Add(group, "sample", "Write a file of invented people, and its mapping",
                           "  godwit import sample --out sample.csv --mapping-out sample.toml "
                           "--cases 200 --seed 7 \\\n"
                           "    --caseworkers haneul,jun --supervisors minji\n",
                           [this](const Context& c) { return ImportSample(c, import_sample_); });
    sample.add_option("--out", import_sample_.out)->required();
    sample.add_option("--mapping-out", import_sample_.mapping_out)->required();
    sample.add_option("--cases", import_sample_.cases)->required();
    sample.add_option("--seed", import_sample_.seed, "The same one gives the same file on one day");
    sample.add_option("--caseworkers", import_sample_.caseworkers, "Handles, with commas")
        ->delimiter(',')
        ->required();
    sample.add_option("--supervisors", import_sample_.supervisors, "Handles, with commas")
        ->delimiter(',')
        ->required();
  }

  void Evidence() {
    CLI::App& group = Group("evidence", "What this device kept against services and colleagues");
    Add(group, "list", "Show it, with whom it names and whether it proves that",
        "  godwit evidence list\n  godwit evidence list --json\n", EvidenceList);
    CLI::App& exported =
        Add(group, "export", "Write it as files that `godwit-verify evidence` judges anywhere",
            "  godwit evidence export ~/evidence\n",
            [this](const Context& c) { return EvidenceExport(c, evidence_export_); });
    exported.add_option("DIR", evidence_export_.dir, "A folder of yours alone; made if missing")
        ->required();
  }

  void Here() {
    Add(app_, "sync", "Send what waits, and bring this device up to date", "  godwit sync\n",
        SyncCommand);
    Add(app_, "status", "Show what waits, what is frozen, and whether the services answer",
        "  godwit status\n  godwit status --json\n", StatusShow);
    Add(app_, "whoami", "Show your handle, roles and device", "  godwit whoami\n", Whoami);
    Add(app_, "unlock", "Ask for the passphrase, and keep the keys in memory",
        "  godwit unlock\n  godwit unlock --passphrase-fd 3 3<file\n", Unlock);
    Add(app_, "lock", "Wipe the keys from memory", "  godwit lock\n", Lock);
    // Hidden: what the other commands start.
    Add(app_, "agent", "Keep the keys of a profile in memory", "  godwit agent --profile haneul\n",
        Agent)
        .group("");
  }

  // Values with commas between them, or given several times.
  static void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                      base::Literal what) {
    command.add_option(name, values, std::string(what.text()))
        ->delimiter(',')
        ->allow_extra_args(false);
  }
  void AddJoin(CLI::App& command) {
    command.add_option("--invitation-fd", join_.invitation_fd,
                       "Read the invitations from this descriptor, one a line");
    AddWait(command, join_.wait);
  }
  static CLI::Option& AddOffline(CLI::App& command, bool& offline) {
    return *command.add_flag("--offline", offline, "What is on this device, as of the last sync");
  }
  static void AddFrom(CLI::App& command, std::string& from) {
    command.add_option("--from", from, "A file with lines `path = value`; - for stdin")
        ->type_name("FILE");
  }
  static void AddWait(CLI::App& command, std::chrono::minutes& wait) {
    command
        .add_option_function<int>(
            "--wait", [&wait](const int& minutes) { wait = std::chrono::minutes(minutes); },
            std::string(Translatable("Give up after so many minutes; 30 if not given")))
        ->check(CLI::Range(1, 24 * 60))
        ->type_name("MINUTES");
  }

  CLI::App& app_;
  CLI::App* org_ = nullptr;
  CommonOptions common_;
  std::string language_;
  Command chosen_;

  OrgCreateOptions org_create_;
  OrgSignOptions org_sign_;
  OrgPublishOptions org_publish_;
  LedgerNameOptions ledger_name_;
  std::string ledger_handle_;
  MemberInviteOptions member_invite_;
  JoinOptions join_;
  MemberListOptions member_list_;
  MemberRoleOptions member_role_;
  MemberRemoveOptions member_remove_;
  ApproveOptions approve_;
  PolicyShowOptions policy_show_;
  PolicySetOptions policy_set_;
  ReconcileOptions reconcile_;
  DeviceListOptions device_list_;
  DeviceAddOptions device_add_;
  DeviceConfirmOptions device_confirm_;
  DeviceRevokeOptions device_revoke_;
  std::string shell_;
  CLI::App* case_ = nullptr;
  ActOptions act_;
  CloseOptions close_;
  AssignOptions assign_;
  HistoryOptions history_;
  CommentOptions comment_;
  TaskOptions task_;
  ConflictOptions conflict_;
  FactsOptions consent_;
  FactsOptions screening_;
  TodayOptions today_;
  SearchOptions search_;
  OutboxOptions outbox_;
  EntryOptions entry_;
  PartnerOptions partner_;
  CaseOpenOptions case_open_;
  CaseListOptions case_list_;
  CaseShowOptions case_show_;
  CaseWhoOptions case_who_;
  CaseEditOptions case_edit_;
  CaseNoteOptions case_note_;
  PersonShowOptions person_show_;
  PersonOptions person_;
  DraftOptions draft_;
  AskOptions ask_;
  FamilyOptions family_;
  BoardOptions board_;
  ExportOptions export_;
  PrintOptions print_;
  ImportOptions import_cases_;
  ImportOptions import_people_;
  ImportSampleOptions import_sample_;
  EvidenceExportOptions evidence_export_;
};

// The remark of an example: what stands behind three spaces or more.
std::size_t RemarkOf(std::string_view line) {
  const std::size_t command = line.find_first_not_of(' ');
  const std::size_t gap = line.find("   ", command);
  if (command == std::string_view::npos || gap == std::string_view::npos) return line.size();
  return std::min(line.find_first_not_of(' ', gap), line.size());
}

// The examples of a command: its calls stay, and what is said of them is translated, line by line;
// behind an empty line prose follows.
std::string TranslatedExamples(std::string_view footer) {
  if (IsTranslated(footer)) return LookUp(footer);
  const std::size_t gap = footer.find("\n\n");
  std::string_view prose = gap == std::string_view::npos ? "" : footer.substr(gap + 2);
  footer = footer.substr(0, gap);
  std::string translated;
  while (!footer.empty()) {
    const std::size_t end = std::min(footer.find('\n'), footer.size());
    const std::string_view line = footer.substr(0, end);
    footer.remove_prefix(std::min(end + 1, footer.size()));
    const std::size_t remark = line.starts_with("  ") ? RemarkOf(line) : 0;
    translated += line.substr(0, remark);
    translated += LookUp(line.substr(remark));
    translated += '\n';
  }
  if (prose.ends_with('\n')) prose.remove_suffix(1);
  return prose.empty() ? translated : translated + '\n' + LookUp(prose) + '\n';
}

// Puts the help of a command and of those below it into the reader's language.
void TranslateHelp(CLI::App& app) {
  app.description(LookUp(app.get_description()));
  app.footer(TranslatedExamples(app.get_footer()));
  for (CLI::Option* option : app.get_options({})) {
    option->description(LookUp(option->get_description()));
    if (option->get_group() == "Options") option->group(Translated("Options"));
  }
  const auto formatter = std::make_shared<CLI::Formatter>();
  formatter->label("Usage", Translated("Usage"));
  formatter->label("Positionals", Translated("Positionals"));
  formatter->label("OPTIONS", Translated("OPTIONS"));
  formatter->label("SUBCOMMAND", Translated("SUBCOMMAND"));
  formatter->label("SUBCOMMANDS", Translated("SUBCOMMANDS"));
  formatter->label("REQUIRED", Translated("REQUIRED"));
  app.formatter(formatter);
  for (CLI::App* command : app.get_subcommands({})) {
    if (command->get_group() == "Subcommands") command->group(Translated("Subcommands"));
    TranslateHelp(*command);
  }
}

// What CLI11 says of a command line that has the wrong form, which it does in English.
std::string UsageText(const CLI::App*, const CLI::Error& error) {
  return Translated("The command line has the wrong form: {0}", error.what()) + "\n" +
         Translated("Run with --help for more information.") + "\n";
}

int Main(int argc, char** argv) {
  umask(077);
  CLI::App app(std::string(Translatable("Godwit: case files that only those who should can read")),
               "godwit");
  Commands commands(app);
  // What programs read is the same in every language.
  const auto translate = [&] {
    if (commands.common().json) return;
    UseLanguage(LanguageOf(commands.language()));
    if (LanguageInUse().empty()) return;
    TranslateHelp(app);
    app.failure_message(UsageText);
  };
  try {
    app.parse(argc, argv);
    translate();
  } catch (const CLI::ParseError& error) {
    translate();
    // Help is no error; anything else is the user's.
    const bool help = error.get_exit_code() == 0;
    app.exit(error);
    return static_cast<int>(help ? ExitCode::kOk : ExitCode::kUsage);
  }
  const CommonOptions& common = commands.common();
  Output output(SettingsOfProcess(common.json), std::cout, std::cerr);
  Prompt prompt(common.passphrase_fd, common.yes);
  for (const base::Status& ready : {crypto::Init(), transport::RequireTls13()}) {
    if (!ready) return static_cast<int>(output.Fail("start", ready.error()));
  }
  return static_cast<int>(commands.Run(Context{common, output, prompt}));
}

}  // namespace
}  // namespace godwit::cli

int main(int argc, char** argv) { return godwit::cli::Main(argc, argv); }
