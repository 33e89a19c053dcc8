// The real program against real services: an organisation from its founding to a revoked device.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "godwit/realm/v1/realm.pb.h"
#include "tests/client/cli/program.h"
#include "tests/support/lying_server.h"
#include "tests/support/realm_server.h"

namespace godwit::cli {
namespace {

using Words = std::vector<std::string>;
using nlohmann::json;

std::vector<json> Lines(const Ran& ran) {
  std::istringstream in(ran.out);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

// A command of the guide, as its page shows it.
struct GuideCommand {
  std::string profile;
  Words words;
  std::string typed;  // what follows << END
  std::string comment;
};

// Splits a command line as a shell does: blanks, and single quotes.
Words SplitWords(const std::string& line) {
  Words words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word.push_back(c);
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

std::vector<GuideCommand> CommandsOf(const std::string& page) {
  std::ifstream in(page);
  std::vector<GuideCommand> commands;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
      continue;
    }
    const std::size_t prompt = line.find("$ godwit ");
    if (!inside || prompt == std::string::npos) continue;
    GuideCommand command;
    command.profile = line.substr(0, prompt);
    std::string rest = line.substr(prompt + 9);
    if (const std::size_t hash = rest.find(" # "); hash != std::string::npos) {
      command.comment = rest.substr(hash + 3);
      rest.resize(hash);
    }
    const bool typed = rest.ends_with(" <<END");
    if (typed) rest.resize(rest.size() - 6);
    command.words = SplitWords(rest);
    for (std::string more; typed && std::getline(in, more) && more != "END";) {
      command.typed += more + "\n";
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

class Cli : public testing::Test {
 protected:
  // Runs a command of one person's, with their passphrase at hand.
  Ran As(const std::string& profile, Words words, std::map<int, std::string> files = {}) {
    words.insert(words.end(), {"--profile", profile, "--passphrase-fd", "9", "--json"});
    files[9] = passphrase;
    return godwit.Run(words, files);
  }
  // The same, which must succeed; returns its last line.
  json Last(const std::string& profile, const Words& words,
            const std::map<int, std::string>& files = {}) {
    const Ran ran = As(profile, words, files);
    EXPECT_EQ(ran.exit, 0) << testing::PrintToString(words) << "\n" << ran.out << ran.err;
    const auto lines = Lines(ran);
    return lines.empty() ? json() : lines.back();
  }

  // Syncs once the services are back: who stands in between finds them again after a while.
  json SyncSoon(const std::string& profile) {
    for (int i = 0; i < 60; ++i) {
      const Ran ran = As(profile, {"sync"});
      if (ran.exit != 3) return Lines(ran).back();
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    return json();
  }

  // A command that goes on, of one person's.
  Program::Running Start(const std::string& profile, Words words) {
    words.insert(words.end(), {"--profile", profile, "--passphrase-fd", "9", "--json"});
    return godwit.Start(words, {{9, passphrase}});
  }
  // Waits until a command that goes on has written a line like that after the first `seen`, and
  // counts what was seen up to it.
  json Await(const Program::Running& running, std::size_t& seen,
             const std::function<bool(const json&)>& like) {
    for (int i = 0; i < 600; ++i) {
      std::istringstream in(running.out());
      std::size_t at = 0;
      for (std::string line; std::getline(in, line) && !in.eof(); ++at) {
        if (at < seen) continue;
        const json read = json::parse(line);
        if (!like(read)) continue;
        seen = at + 1;
        return read;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "it never came: " << running.out() << running.err();
    return json();
  }
  json AwaitEvent(const Program::Running& running, std::size_t& seen, const std::string& event) {
    return Await(running, seen, [&](const json& line) { return line.value("event", "") == event; });
  }

  std::vector<std::pair<std::string, support::RealmServer*>> Realms() {
    return {{"identity", &servers.identity},
            {"cases", &servers.cases},
            {"journeys", &servers.journeys}};
  }
  // What an operator gives to founders: where a realm is, and the file with its claim.
  std::string RealmOf(const std::string& name, const support::RealmServer& server) const {
    const auto address = &server == &servers.cases ? liar.address() : server.address();
    return name + "=" + address.host_port + "," + base::ToHex(address.pins.front().bytes());
  }
  std::string ClaimOf(const std::string& name, const support::RealmServer& server) {
    return godwit.Write(name + ".claim", base::ToHex(server.claim()) + "\n");
  }

  void Found() {
    passphrase = godwit.Write("passphrase", "correct horse battery example\n");
    Words words{"org",      "create", "--evaluation", "--discard-root",
                "--handle", "minji",  "--name",       "Minji Example"};
    for (const auto& [name, server] : Realms()) {
      words.insert(words.end(), {"--realm", RealmOf(name, *server) + "," + ClaimOf(name, *server)});
    }
    const json founded = Last("minji", words);
    ASSERT_EQ(founded["event"], "founded");
    ASSERT_EQ(founded["realms"].size(), 3u);
  }

  void Join(const std::string& people) {
    ShakeHands("minji", {"--people", godwit.Write("people.csv", people)});
  }
  // With one of each who work on a case: haneul, jun and sora.
  void FoundWithATeam() {
    ASSERT_NO_FATAL_FAILURE(Found());
    Join(
        "handle,name,roles\n"
        "haneul,Haneul Specimen,caseworker\n"
        "jun,Jun Example,supervisor\n"
        "sora,Sora Imaginary,coordinator\n");
  }
  // Another device of somebody's, in a profile of its own.
  void AddDevice(const std::string& profile, const std::string& device) {
    ShakeHands(profile, {"--device", device});
  }
  void ShakeHands(const std::string& inviter, const Words& what) {
    Words words{"/usr/bin/python3", GODWIT_TREE "/scripts/join_members.py",
                "--godwit",         GODWIT_BINARY,
                "--inviter",        inviter};
    words.insert(words.end(), what.begin(), what.end());
    const Ran ran = godwit.Execute(words, {{3, passphrase}});
    ASSERT_EQ(ran.exit, 0) << ran.out << ran.err;
    ASSERT_EQ(ran.out.find("gw1-invite:"), std::string::npos) << "an invitation is a secret";
    ASSERT_NE(ran.out.find("both read"), std::string::npos);
  }

  std::string PathOf(const std::string& name) const { return (godwit.dir() / name).string(); }
  // What a PDF file says.
  std::string PdfText(const std::string& name) {
    const Ran read = godwit.Execute({"/usr/bin/pdftotext", PathOf(name), "-"});
    EXPECT_EQ(read.exit, 0) << read.err;
    return read.out;
  }

  // Runs every command of a page of the guide, and counts them.
  std::size_t RunPage(const std::string& page) {
    std::size_t run = 0;
    std::string code;
    std::string id;
    for (GuideCommand& command :
         CommandsOf(std::string(GODWIT_TREE "/docs/guide/") + page + ".md")) {
      SCOPED_TRACE(page + ": " + command.profile + "$ godwit " +
                   testing::PrintToString(command.words));
      for (std::string& word : command.words) {
        if (word == "7K3M-Q9TX-2A*") word = code;
        if (word == "3f09a1b2") word = id;
      }
      if (command.profile != "minji" || command.words[0] != "approve")
        command.words.push_back("--yes");
      const Ran ran =
          As(command.profile, command.words, {{0, godwit.Write("typed.txt", command.typed)}});
      const int want = command.comment == "waits for another" ? 7 : 0;
      if (command.comment == "may find something") {
        EXPECT_LE(ran.exit, 1) << ran.out << ran.err;
      } else {
        EXPECT_EQ(ran.exit, want) << ran.out << ran.err;
      }
      ++run;
      const auto lines = Lines(ran);
      if (lines.empty()) continue;
      if (lines.back().contains("code") && command.words[1] == "open") code = lines.back()["code"];
      if (lines.back().contains("id")) id = lines.back()["id"];
    }
    return run;
  }

  Program godwit{GODWIT_BINARY};
  support::RealmServers servers;
  support::LyingServer liar{servers.cases};  // honest, until it is told to lie
  std::string passphrase;                    // the file that has it
};

TEST_F(Cli, WhatNeedsTwoIsSignedByTwo) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "dana,Dana Example,owner admin\n"
           "haneul,Haneul Specimen,coordinator\n"));
  EXPECT_EQ(
      Last("minji", {"policy", "set", "owner_threshold=2", "grant_threshold=2", "--yes"})["event"],
      "policy_set");

  // A change, asked for twice, is one in each realm, and waits.
  for (int i = 0; i < 2; ++i) {
    const Ran ran = As("minji", {"policy", "set", "hold_s=50000", "--yes"});
    EXPECT_EQ(ran.exit, 7) << ran.out << ran.err;
    ASSERT_EQ(Lines(ran).size(), 3u);
    EXPECT_EQ(Lines(ran)[0]["missing"], 1);
  }
  auto waiting = Lines(As("dana", {"approve"}));
  ASSERT_EQ(waiting.size(), 3u);
  EXPECT_EQ(waiting[1]["realm"], "cases");
  EXPECT_EQ(waiting[1]["type"], "policy_set");
  EXPECT_EQ(waiting[1]["author"], "Minji Example");
  EXPECT_EQ(waiting[1]["changes"],
            json({{{"field", "hold_s"}, {"before", "43200"}, {"after", "50000"}}}));
  // Nobody signs twice, and nobody signs what is none of theirs.
  const std::string link = waiting[1]["link"];
  EXPECT_NE(As("minji", {"approve", link, "--yes"}).exit, 0);
  EXPECT_NE(As("haneul", {"approve", link, "--yes"}).exit, 0);
  EXPECT_EQ(Last("minji", {"policy", "show", "--realm", "cases"})["policy"]["hold_s"], "43200");
  const auto approved = Lines(As("dana", {"approve", "all", "--yes"}));
  ASSERT_EQ(approved.size(), 6u);  // what it is, and that it was signed
  EXPECT_EQ(approved[4]["event"], "approved");
  EXPECT_EQ(approved[4]["missing"], 0);
  EXPECT_EQ(Last("minji", {"policy", "show", "--realm", "cases"})["policy"]["hold_s"], "50000");

  // A removal.
  const Words removal{"member", "remove", "haneul", "--reason", "left", "--yes"};
  EXPECT_EQ(As("minji", removal).exit, 7);
  waiting = Lines(As("dana", {"approve"}));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0]["what"], "remove Haneul Specimen");
  EXPECT_EQ(
      Last("dana", {"approve", std::string(waiting[0]["link"]).substr(0, 8), "--yes"})["missing"],
      0);
  EXPECT_EQ(Last("minji", removal)["event"], "removed");

  // What nobody wants is closed.
  EXPECT_EQ(As("minji", {"policy", "set", "--realm", "cases", "hold_s=60000", "--yes"}).exit, 7);
  waiting = Lines(As("dana", {"approve"}));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(Last("dana", {"approve", "--close", waiting[0]["link"], "--yes"})["event"], "closed");
  EXPECT_TRUE(Lines(As("dana", {"approve"})).empty());
  EXPECT_EQ(As("dana", {"approve", std::string(waiting[0]["link"]), "--yes"}).exit, 1);
  EXPECT_EQ(As("dana", {"approve", "12", "--yes"}).exit, 2);
  EXPECT_EQ(As("minji", {"policy", "set", "hold_s=none", "--yes"}).exit, 2);
}

TEST_F(Cli, TwoOwnersFoundAnOrganisationThatNeedsBoth) {
  passphrase = godwit.Write("passphrase", "correct horse battery example\n");
  const std::string draft = (godwit.dir() / "org.draft").string();
  Words create{"org",       "create",      "--draft",   draft,        "--evaluation",
               "--founder", "minji=owner", "--founder", "seol=owner", "--handle",
               "minji",     "--name",      "Minji One", "--root-fd",  "2"};
  Words publish{"org", "publish", draft, "--root-fd", "8"};
  for (const auto& [name, server] : Realms()) {
    create.insert(create.end(), {"--realm", RealmOf(name, *server)});
    publish.insert(publish.end(), {"--claim", name + "=" + ClaimOf(name, *server)});
  }
  const Ran drafted = As("minji", create);
  ASSERT_EQ(drafted.exit, 0) << drafted.err;
  EXPECT_EQ(Lines(drafted).back()["missing"], json({"seol"}));
  // An existing draft is not written over, and stays private.
  EXPECT_EQ(As("minji", create).exit, 1);
  EXPECT_EQ(std::filesystem::status(draft).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  // The root keys went where they should, a line each, and into no file.
  const std::string roots = drafted.err;
  ASSERT_EQ(std::ranges::count(roots, '\n'), 3) << roots;
  const std::string good = godwit.Write("roots", roots);

  EXPECT_EQ(As("minji", publish, {{8, good}}).exit, 6) << "nobody has signed";
  EXPECT_EQ(As("ghost", {"org", "sign", draft, "--handle", "ghost", "--name", "A", "--yes"}).exit,
            1);
  const Ran added =
      As("seol", {"org", "sign", draft, "--handle", "seol", "--name", "Seol Two", "--yes"});
  ASSERT_EQ(added.exit, 7) << added.err;
  EXPECT_EQ(Lines(added).back()["missing"], json({"minji"}));
  EXPECT_EQ(Last("minji", {"org", "sign", draft, "--yes"})["complete"], true);

  // Another host in the complete draft: nobody pins it.
  std::string changed = Program::Read(draft);
  changed[changed.find("127.0.0.1") + 8] = '2';
  const std::string other = godwit.Write("other.draft", changed);
  EXPECT_EQ(As("seol", {"org", "sign", other, "--yes"}).exit, 5);
  const Ran early = As("seol", publish, {{8, good}});
  EXPECT_EQ(early.exit, 4) << "she has not pinned it yet";
  EXPECT_NE(early.out.find("godwit org sign"), std::string::npos) << early.out;
  EXPECT_EQ(Last("seol", {"org", "sign", draft, "--yes"})["event"], "complete");
  EXPECT_EQ(Last("minji", {"org", "fingerprint"})["realms"]["cases"]["fingerprint"],
            Last("seol", {"org", "fingerprint"})["realms"]["cases"]["fingerprint"]);

  // The sheets of two realms mixed up, a word misread, a line missing.
  const std::size_t first = roots.find('\n') + 1;
  const std::size_t second = roots.find('\n', first) + 1;
  const std::string mixed = "identity:" + roots.substr(first).substr(6, second - first - 6) +
                            "cases:" + roots.substr(9, first - 9) + roots.substr(second);
  EXPECT_EQ(As("minji", publish, {{8, godwit.Write("mixed", mixed)}}).exit, 2);
  EXPECT_EQ(As("minji", publish, {{8, godwit.Write("short", roots.substr(0, second))}}).exit, 1);
  EXPECT_EQ(
      As("minji", publish, {{8, godwit.Write("misread", "identity: zoo" + roots.substr(9))}}).exit,
      2);

  // Published, and again after whatever came between; nothing is there twice.
  for (int i = 0; i < 2; ++i) {
    const Ran published = As("minji", publish, {{8, good}});
    ASSERT_EQ(published.exit, 7) << published.err;
    ASSERT_EQ(Lines(published).size(), 3u);
    for (const json& line : Lines(published)) {
      EXPECT_EQ(line["event"], "published");
      EXPECT_EQ(line["missing"], 1);
    }
  }
  EXPECT_EQ(As("minji", {"approve", "all", "--yes"}).out, "") << "she has signed already";
  Last("seol", {"sync"});
  EXPECT_EQ(Lines(As("seol", {"approve", "all", "--yes"})).size(), 6u);
  Last("minji", {"reconcile", "--yes"});
  EXPECT_EQ(As("minji", publish, {{8, good}}).exit, 0) << "all of it stands";
  // The names wait for the other owner, too.
  EXPECT_EQ(Lines(As("seol", {"approve", "all", "--yes"})).size(), 12u);
  Last("minji", {"sync"});
  EXPECT_NE(As("seol", {"member", "list"}).out.find("Minji One"), std::string::npos);
  EXPECT_NE(As("minji", {"member", "list"}).out.find("Seol Two"), std::string::npos);
}

TEST_F(Cli, ASecondDeviceIsAddedConfirmedAndRevoked) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  const std::string facts = godwit.Write("person.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "identity_profile.names[0].full = 리 보기\n");
  const std::string code =
      Last("haneul", {"case", "open", "--supervisor", "jun", "--from", facts})["code"];

  // Whoever sits at an unlocked machine lets nobody in: the passphrase is asked for again.
  Last("haneul", {"unlock"});
  EXPECT_EQ(godwit.Run({"whoami", "--profile", "haneul", "--json"}).exit, 0);
  for (const Words& words : {Words{"device", "add"}, Words{"member", "invite", "sora", "--name",
                                                           "Sora Example", "--roles", "route"}}) {
    Words all = words;
    all.insert(all.end(), {"--profile", "haneul", "--json"});
    EXPECT_EQ(godwit.Run(all).exit, 2) << testing::PrintToString(words);
  }

  ASSERT_NO_FATAL_FAILURE(AddDevice("haneul", "tablet"));
  EXPECT_EQ(Last("tablet", {"person", "show", code})["person"]["names"][0]["full"], "리 보기");
  const json mine = Last("haneul", {"whoami"});
  const json other = Last("tablet", {"whoami"});
  EXPECT_EQ(mine["realms"]["cases"]["member"], other["realms"]["cases"]["member"]);
  EXPECT_NE(mine["realms"]["cases"]["device"], other["realms"]["cases"]["device"]);
  EXPECT_EQ(Lines(As("haneul", {"device", "list"})).size(), 4u);

  // One that the second adds is news to the first, until its person says that it is theirs.
  ASSERT_NO_FATAL_FAILURE(AddDevice("tablet", "phone"));
  const Ran found = As("haneul", {"sync"});
  EXPECT_EQ(found.exit, 0);
  EXPECT_NE(found.err.find("ALARM, cases: "), std::string::npos);
  EXPECT_EQ(found.out.find("alarm"), std::string::npos);
  auto lines = Lines(As("haneul", {"device", "list"}));
  ASSERT_EQ(lines.size(), 8u) << "two alarms, three devices in two realms";
  const std::string phone = Last("phone", {"whoami"})["realms"]["cases"]["device"];
  EXPECT_EQ(lines[1]["alarm"], json({{"realm", "cases"},
                                     {"what", "device"},
                                     {"id", phone},
                                     {"seq", lines[1]["alarm"]["seq"]},
                                     {"active", true}}));
  std::size_t unknown = 0;
  for (const json& line : lines) unknown += line.value("unknown", false) ? 1 : 0;
  EXPECT_EQ(unknown, 2u);
  EXPECT_EQ(Last("haneul", {"status"})["realms"]["cases"]["alarms"].size(), 1u);
  EXPECT_EQ(As("haneul", {"device", "add"}).exit, 4) << "whoever adds one vouches for the others";
  EXPECT_EQ(As("haneul", {"device", "confirm", "0123456789", "--yes"}).exit, 1);
  EXPECT_EQ(As("haneul", {"device", "confirm", phone.substr(0, 4), "--yes"}).exit, 2);
  EXPECT_EQ(Last("haneul", {"device", "confirm", phone.substr(0, 12), "--yes"})["id"], phone);
  EXPECT_EQ(Last("haneul", {"status"})["realms"]["cases"]["alarms"].size(), 0u);
  // Revoking it answers the alarm too.
  const std::string in_identity = Last("phone", {"whoami"})["realms"]["identity"]["device"];
  Last("haneul",
       {"device", "revoke", in_identity.substr(0, 12), "--reason", "compromised", "--yes"});
  EXPECT_EQ(Last("haneul", {"status"})["realms"]["identity"]["alarms"].size(), 0u);

  // What concerns everybody is said once, and kept in the status.
  Last("minji", {"policy", "set", "--realm", "cases", "hold_s=50000", "--yes"});
  EXPECT_EQ(As("tablet", {"sync"}).exit, 0);
  const std::string news = "New in cases: the policy changed: ";
  EXPECT_NE(As("tablet", {"whoami"}).err.find(news), std::string::npos);
  EXPECT_EQ(As("tablet", {"whoami"}).err.find(news), std::string::npos);
  EXPECT_EQ(Last("tablet", {"status"})["realms"]["cases"]["notices"].size(), 1u);

  // The first device is gone, the second goes on.
  for (const char* realm : {"identity", "cases"}) {
    Last("tablet", {"device", "revoke", std::string(mine["realms"][realm]["device"]).substr(0, 12),
                    "--reason", "lost", "--yes"});
  }
  EXPECT_EQ(As("haneul", {"sync"}).exit, 4);
  EXPECT_EQ(Last("tablet", {"case", "edit", code, "summary.risk=high"})["queued"], false);
  EXPECT_EQ(Last("jun", {"case", "show", code})["case"]["risk"], "high");
}

TEST_F(Cli, RolesAreChangedByThoseWhoMay) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "dana,Dana Example,owner admin\n"
           "haneul,Haneul Specimen,caseworker\n"
           "sora,Sora Imaginary,coordinator\n"));
  auto lines =
      Lines(As("minji", {"member", "role", "haneul", "--roles", "caseworker,supervisor", "--yes"}));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], json({{"event", "roles_set"},
                            {"realm", "identity"},
                            {"roles", {"caseworker", "supervisor"}}}));
  EXPECT_EQ(Last("haneul", {"member", "role", "haneul", "--roles", "supervisor", "--yes"})["event"],
            "roles_set");
  EXPECT_EQ(Last("minji", {"policy", "set", "grant_threshold=2", "--yes"})["event"], "policy_set");
  const Words change{"member", "role", "haneul", "--roles", "route", "--yes"};
  Ran ran = As("minji", change);
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(Lines(ran)[0]["event"], "waits");
  EXPECT_EQ(Lines(ran)[0]["missing"], 1);
  EXPECT_EQ(Lines(As("dana", {"approve", "all", "--yes"})).size(), 4u);
  ran = As("minji", change);
  EXPECT_EQ(ran.exit, 7);
  lines = Lines(ran);
  ASSERT_EQ(lines.size(), 3u) << ran.out << ran.err;
  EXPECT_EQ(lines[1]["event"], "removed");
  EXPECT_EQ(lines[2]["event"], "invite");
  EXPECT_EQ(
      As("minji", {"member", "role", "sora", "--roles", "coordinator,caseworker", "--yes"}).exit,
      4);
  EXPECT_EQ(As("minji", {"member", "role", "sora", "--roles", "nobody", "--yes"}).exit, 2);
  EXPECT_EQ(As("sora", {"member", "role", "haneul", "--roles", "route", "--yes"}).exit, 4);
}

TEST_F(Cli, ListsAndExportsEvidenceThatOthersCanJudge) {
  ASSERT_NO_FATAL_FAILURE(Found());
  const std::string dir = (godwit.dir() / "evidence").string();
  EXPECT_EQ(Last("minji", {"evidence", "list"}), json());
  EXPECT_EQ(Last("minji", {"evidence", "export", dir}), json());

  liar.RewriteReply(
      [](const realm::v1::FetchRosterRequest&, realm::v1::FetchRosterResponse& reply) {
        std::string forged = reply.statements(reply.statements_size() - 1);
        forged.back() ^= 1;
        reply.set_statements(reply.statements_size() - 1, forged);
      });
  const Ran sync = As("minji", {"sync"});
  EXPECT_EQ(sync.exit, 5) << sync.out << sync.err;
  const std::string next = Lines(sync).back()["error"]["next"];
  EXPECT_NE(next.find("godwit evidence list"), std::string::npos) << next;
  liar.BeHonest();
  EXPECT_EQ(Last("minji", {"sync"})["event"], "synced");

  const json listed = Last("minji", {"evidence", "list"});
  EXPECT_EQ(listed["realm"], "cases");
  EXPECT_EQ(listed["what"], "two_statements");
  EXPECT_EQ(listed["code"], "E_FORK");
  EXPECT_EQ(listed["proved"], false);
  EXPECT_EQ(listed["against"], "server");
  EXPECT_TRUE(listed["member"].is_null());
  const std::string piece = listed["piece"];
  const Ran shown = godwit.Run({"evidence", "list", "--profile", "minji", "--passphrase-fd", "9"},
                               {{9, passphrase}});
  EXPECT_NE(shown.out.find(piece), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("the service"), std::string::npos) << shown.out;

  // The same again is no error.
  for (int i = 0; i < 2; ++i) {
    const json exported = Last("minji", {"evidence", "export", dir});
    EXPECT_EQ(exported["event"], "exported");
    EXPECT_EQ(exported["piece"], piece);
    const std::filesystem::path file = std::string(exported["file"]);
    EXPECT_EQ(file.filename(), piece + ".evidence");
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
    const Ran verified = godwit.Execute({GODWIT_VERIFY, "evidence", file.string(), "--json"});
    EXPECT_EQ(verified.exit, 0);
    EXPECT_EQ(Lines(verified).back()["what"], "two_statements");
  }
  EXPECT_EQ(As("minji", {"evidence", "export", "/"}).exit, 4);
}

TEST_F(Cli, FoundsJoinsOpensAndShows) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"
           "bora,Bora Example,route\n"));

  // Everybody is known by name, where they belong and nowhere else.
  const auto members = Lines(As("minji", {"member", "list"}));
  ASSERT_EQ(members.size(), 5u);
  EXPECT_EQ(members[1]["handle"], "haneul");
  EXPECT_EQ(members[1]["name"], "Haneul Specimen");
  EXPECT_EQ(members[1]["realms"].size(), 2u);
  EXPECT_EQ(members[0]["handle"], "bora");
  EXPECT_EQ(members[0]["realms"]["journeys"]["state"], "active");
  const json whoami = Last("haneul", {"whoami"});
  EXPECT_EQ(whoami["realms"]["cases"]["roles"], json({"caseworker"}));
  EXPECT_EQ(whoami["evaluation"], true);

  // Both sides see the same fingerprints.
  const json ours = Last("minji", {"org", "fingerprint"});
  const json theirs = Last("haneul", {"org", "fingerprint"});
  EXPECT_EQ(ours["realms"]["cases"]["fingerprint"], theirs["realms"]["cases"]["fingerprint"]);

  // A caseworker opens a case and a note; the name is nowhere on a command line.
  const std::string facts = godwit.Write("person.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "identity_profile.names[0].full = 리 보기\n");
  const json opened = Last(
      "haneul", {"case", "open", "--supervisor", "jun", "summary.sex=female", "--from", facts});
  const std::string code = opened["code"];
  EXPECT_EQ(code.size(), 11u);
  Last("haneul", {"case", "note", code},
       {{0, godwit.Write("note.txt", "She asks after her sister.\n두 번째 줄\n")}});
  EXPECT_EQ(Last("haneul", {"case", "edit", code, "summary.risk=high"})["queued"], false);

  // The caseworker reads all, the supervisor all but the person.
  EXPECT_EQ(Last("haneul", {"person", "show", code})["person"]["names"][0]["full"], "리 보기");
  json shown = Last("haneul", {"case", "show", code});
  EXPECT_EQ(shown["link"], "both_sides");
  shown = Last("jun", {"case", "show", code});
  EXPECT_EQ(shown["case"]["risk"], "high");
  EXPECT_EQ(shown["case"]["caseworker"], "Haneul Specimen");
  ASSERT_EQ(shown["notes"].size(), 1u);
  EXPECT_EQ(shown["notes"][0]["text"], "She asks after her sister.\n두 번째 줄");
  EXPECT_EQ(As("jun", {"person", "show", code}).exit, 1);

  // The coordinator has the board, and neither notes nor person.
  const auto board = Lines(As("sora", {"board"}));
  ASSERT_EQ(board.size(), 2u);
  EXPECT_EQ(board[0]["code"], code);
  EXPECT_EQ(board[0]["risk"], "high");
  EXPECT_EQ(board[0]["caseworker"], "Haneul Specimen");
  EXPECT_EQ(board[1]["by_stage"]["contact"], 1);
  shown = Last("sora", {"case", "show", code});
  EXPECT_EQ(shown["sensitive_readable"], false);
  EXPECT_FALSE(shown.contains("notes"));
  EXPECT_EQ(As("sora", {"person", "show", code}).exit, 4);

  // The route coordinator has neither.
  EXPECT_EQ(As("bora", {"board"}).exit, 4);
  EXPECT_EQ(As("bora", {"case", "show", code}).exit, 4);

  // A screen of an evaluation says so, and in people's words it has no JSON.
  const Ran screen = godwit.Run({"case", "show", code, "--profile", "haneul"});
  EXPECT_EQ(screen.exit, 0);
  EXPECT_TRUE(screen.out.starts_with("EVALUATION: ")) << screen.out;
  EXPECT_NE(screen.out.find("She asks after her sister."), std::string::npos);

  // Offline, what is here can be read; what is written waits, and goes out later.
  servers.cases.Stop();
  EXPECT_EQ(Last("haneul", {"case", "show", code, "--offline"})["case"]["risk"], "high");
  EXPECT_EQ(Last("haneul", {"case", "edit", code, "summary.risk=medium"})["queued"], true);
  const Ran offline = As("haneul", {"sync"});
  EXPECT_EQ(offline.exit, 3);
  servers.cases.Start();
  EXPECT_EQ(SyncSoon("haneul")["waiting"], 0);
  EXPECT_EQ(Last("jun", {"case", "show", code})["case"]["risk"], "medium");

  // A revoked device does nothing more, and others go on.
  const auto revoked =
      Lines(As("minji", {"device", "revoke", "haneul", "--reason", "lost", "--yes"}));
  ASSERT_EQ(revoked.size(), 2u);
  EXPECT_EQ(revoked[0]["only_device"], true);
  EXPECT_EQ(As("haneul", {"sync"}).exit, 4);
  EXPECT_EQ(As("haneul", {"case", "edit", code, "summary.risk=low"}).exit, 4);
  EXPECT_EQ(Last("sora", {"board"})["cases"], 1);

  // A removed person is gone from the list.
  Last("minji", {"member", "remove", "haneul", "--reason", "lost", "--yes"});
  EXPECT_EQ(Lines(As("minji", {"member", "list"})).size(), 4u);

  // Locked, a wrong passphrase opens nothing.
  Last("sora", {"lock"});
  const std::string wrong = godwit.Write("wrong", "not the passphrase\n");
  EXPECT_EQ(godwit.Run({"whoami", "--profile", "sora", "--passphrase-fd", "3"}, {{3, wrong}}).exit,
            4);
  EXPECT_EQ(godwit.Run({"whoami", "--profile", "sora"}).exit, 2) << "there is nobody to ask";
}

// One person's way through the tool: registered without a network, screened, planned for, helped,
// handed over, and closed by two.
TEST_F(Cli, ACaseIsWorkedOnFromContactToClosure) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "seol,Seol Example,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"));
  for (const char* person : {"haneul", "seol", "jun", "sora"}) Last(person, {"sync"});
  const auto from = [&](const std::string& text) { return godwit.Write("facts.txt", text); };

  // Registered offline: everything waits, and shows.
  servers.cases.Stop();
  servers.identity.Stop();
  const json opened = Last("haneul", {"case", "open", "--supervisor", "jun", "--from",
                                      from("summary.consent.store_identity = yes\n"
                                           "summary.consent.services = yes\n"
                                           "identity_profile.names[0].full = 가상인\n")});
  EXPECT_EQ(opened["queued"], true);
  const std::string code = opened["code"];
  EXPECT_EQ(Last("haneul", {"kin", "add", code, "--from",
                            from("relation = sister\nalive = "
                                 "?unknown\n")})["queued"],
            true);
  const Ran waits = As("haneul", {"outbox"});
  EXPECT_EQ(waits.exit, 6);
  EXPECT_GE(Lines(waits).size(), 4u);
  EXPECT_EQ(Last("haneul", {"case", "show", code, "--offline"})["case"]["stage"], "contact");
  servers.cases.Start();
  servers.identity.Start();
  EXPECT_EQ(SyncSoon("haneul")["waiting"], 0);
  EXPECT_EQ(As("haneul", {"outbox"}).exit, 0);
  EXPECT_EQ(Last("haneul", {"kin", "list", code})["kin"]["alive"], "unknown");

  // Consent, screening, acceptance.
  Last("haneul", {"consent", code, "share_unhcr=yes", "tracing=?refused"});
  EXPECT_EQ(Last("sora", {"case", "show", code})["case"]["consent"]["share_unhcr"], "yes");
  Last("haneul", {"case", "stage", code, "screening"});
  const Ran early = As("sora", {"case", "stage", code, "accepted"});
  EXPECT_EQ(early.exit, 4);
  EXPECT_NE(early.out.find("the screening is not clear"), std::string::npos) << early.out;
  Last("sora", {"screening", code, "--from", from("state = clear\n")});
  EXPECT_EQ(Last("sora", {"screening", code})["screening"]["state"], "clear");
  EXPECT_EQ(Last("haneul", {"screening", code})["screening"], nullptr);
  Last("sora", {"case", "stage", code, "accepted"});

  // Assessment and plan, approved by the supervisor.
  EXPECT_EQ(As("haneul", {"assessment", "add", code, "risk=high"}).exit, 2)
      << "words about a person are no arguments";
  Last("haneul", {"assessment", "add", code, "--from", from("risk = high\nsituation = alone\n")});
  Last("haneul", {"case", "ask", code, "assessment"});
  bool asked = false;
  for (const json& item : Lines(As("jun", {"today"}))) {
    asked = asked || (item["what"] == "approval_waits" && item["detail"] == "assessment");
  }
  EXPECT_TRUE(asked);
  EXPECT_EQ(As("haneul", {"case", "assent", code, "assessment"}).exit, 4);
  Last("jun", {"case", "assent", code, "assessment"});
  Last("haneul", {"case", "stage", code, "planning"});
  Last("haneul", {"plan", "add", code, "--from", from("goals[0].goal = a safe room\n")});
  Last("haneul", {"case", "ask", code, "plan"});
  Last("jun", {"case", "assent", code, "plan", "--no"});
  Last("haneul", {"plan", "add", code, "--from", from("goals[1].goal = a doctor\n")});
  Last("haneul", {"case", "ask", code, "plan"});
  Last("jun", {"case", "assent", code, "plan"});
  Last("sora", {"case", "stage", code, "ready"});

  // A service, wrongly written down and struck; what it cost.
  const json wrong = Last("haneul", {"service", "add", code, "type=food"});
  Last("haneul", {"service", "strike", code, wrong["id"]});
  Last("haneul", {"service", "add", code, "type=health_medical", "status=completed",
                  "amount=120.50 USD", "implemented_day=2031-02-03"});
  const auto services = Lines(As("sora", {"service", "list", code}));
  ASSERT_EQ(services.size(), 1u);
  EXPECT_EQ(services[0]["service"]["amount"], "120.50 USD");
  EXPECT_EQ(Lines(As("sora", {"service", "list", code, "--all"})).size(), 2u);

  // Two write the same need; both values stay until somebody chooses.
  const json need =
      Last("haneul", {"need", "add", code, "--from", from("code = sm\ndetail = cough\n")});
  Last("jun", {"need", "list", code});
  servers.cases.Stop();
  Last("haneul", {"need", "edit", code, need["id"], "--from", from("detail = asthma\n")});
  Last("jun", {"need", "edit", code, need["id"], "--from", from("detail = pneumonia\n")});
  servers.cases.Start();
  SyncSoon("jun");
  SyncSoon("haneul");
  const json shown = Last("haneul", {"case", "show", code});
  ASSERT_EQ(shown["conflicts"].size(), 1u);
  EXPECT_EQ(shown["conflicts"][0]["other"]["detail"], "asthma");
  Last("haneul", {"case", "conflict", code, shown["conflicts"][0]["id"], "other"});
  EXPECT_EQ(Last("jun", {"need", "list", code})["need"]["detail"], "asthma");

  // Asked, answered, done.
  Last("haneul", {"case", "comment", code, "--to", "jun", "--from", from("a doctor on Monday?\n")});
  EXPECT_EQ(Last("jun", {"case", "comment", code, "--read"})["comments"], 1);
  const Ran named =
      As("haneul", {"case", "comment", code, "--in", "case", "--from", from("for 가상인\n")});
  EXPECT_EQ(named.exit, 4);

  // Found again by what is typed and not said on the command line, and by nobody after a lock.
  const auto search = [&](const std::string& who, const std::string& words) {
    return Lines(As(who, {"search", "--from", "-"}, {{0, godwit.Write("words", words + "\n")}}));
  };
  const auto named_so = search("haneul", "Ka Sang In");
  ASSERT_GE(named_so.size(), 2u);
  EXPECT_EQ(named_so[0]["how"], "sounds_same");
  EXPECT_EQ(named_so[0]["code"], code);
  EXPECT_EQ(named_so[0]["text"], "가상인");
  EXPECT_EQ(named_so[0]["record"], "identity_profile");
  EXPECT_EQ(named_so.back()["event"], "searched");
  const auto words = search("jun", "ASTHMA");
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0]["record"], "need");
  EXPECT_EQ(words[0]["text"], "asthma");
  EXPECT_EQ(search("seol", "asthma").back()["found"], 0);
  EXPECT_EQ(As("haneul", {"search", "asthma"}).exit, 2) << "words are no arguments";
  EXPECT_EQ(As("haneul", {"search"}).exit, 2) << "nobody to ask";
  EXPECT_EQ(As("haneul", {"lock"}).exit, 0);
  const Ran locked = godwit.Run({"search", "--from", "-", "--profile", "haneul", "--json"},
                                {{0, godwit.Write("words", "asthma\n")}});
  EXPECT_NE(locked.exit, 0);
  EXPECT_EQ(locked.out.find("asthma"), std::string::npos);

  // Handed over, part by part.
  Last("sora", {"case", "assign", "--to", "seol", "--all-of", "haneul", "--dry-run"});
  EXPECT_EQ(Last("sora", {"case", "assign", "--to", "seol", code})["others_must"], true);
  EXPECT_EQ(Last("jun", {"case", "assign", "--to", "seol", code})["others_must"], false);
  EXPECT_EQ(Last("seol", {"person", "show", code})["person"]["names"][0]["full"], "가상인");
  EXPECT_EQ(As("haneul", {"case", "show", code}).exit, 1);

  // Closed by two.
  EXPECT_EQ(As("seol", {"case", "close", code}).exit, 4) << "for no reason";
  EXPECT_EQ(As("seol", {"case", "close", code, "--reason", "goals_met"}).exit, 7);
  Last("sora", {"case", "close", code});
  EXPECT_EQ(Last("seol", {"case", "show", code})["case"]["status"], "closed");
  const auto history = Lines(As("seol", {"case", "history", code}));
  EXPECT_GE(history.size(), 15u);
  EXPECT_EQ(history.back()["to"], "closed");
  EXPECT_EQ(history.back()["by"], "Sora Imaginary");
  EXPECT_EQ(Last("sora", {"case", "reopen", code, "--reason", "goals_met"})["event"], "reopened");
}

// Every command of the guide's pages is run as it stands there, by the people whom it names.
// Each word of `godwit KIND add|edit|list|strike`, for all that is kept of a case beside its
// stages.
TEST_F(Cli, EveryKindOfEntryIsAddedChangedListedAndStruck) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  for (const char* person : {"haneul", "jun", "sora"}) Last(person, {"sync"});
  const auto from = [&](const std::string& text) { return godwit.Write("facts.txt", text); };
  const std::string code =
      Last("haneul", {"case", "open", "--supervisor", "jun", "summary.consent.services=yes",
                      "summary.consent.store_identity=yes"})["code"];
  Last("haneul", {"consent", code, "share_partner=yes"});
  const std::string told =
      "to_org = Invented Aid\nshare_with = partner\nshared_fields = identity_profile.names, need\n";
  const std::map<std::string, std::pair<std::string, std::string>> facts = {
      {"need", {"code = tr\n", "severity = low\n"}},
      {"assessment", {"situation = a loft\n", "assessed_day = 2031-02-03\n"}},
      {"plan", {"goals[0].goal = school\n", "review_day = 2031-05-06\n"}},
      {"trafficking", {"status = possible\n", "forced_labour = ?refused\n"}},
      {"best-interests", {"kind = bia\n", "outcome = stays with her aunt\n"}},
      {"observation", {"text = asks about others\n", "forwarded = yes\n"}},
      {"narrative", {"narrative = it was dark\n", "victims = ?not_asked\n"}},
      {"service", {"type = cash\n", "amount = 120.50 USD\n"}},
      {"follow-up", {"type = visit\n", "due_day = 2031-01-02\n"}},
      {"incident", {"type = medical\n", "occurred = 2030\n"}},
      {"authority", {"step = reported\n", "date = 2030-11\n"}},
      {"referral", {told, "expires_day = 2099-05-06\n"}},
      {"transfer", {told, "service = legal_assistance\n"}},
      {"document", {"type = none\n", "held_by = kin\n"}},
      {"kin", {"relation = mother\n", "alive = ?unknown\n"}},
      {"contact", {"kind = phone\n", "handle = +000 555 0100\n"}},
      {"tracing", {"sought = a brother\n", "status = open\n"}},
  };
  for (const auto& [name, texts] : facts) {
    SCOPED_TRACE(name);
    const auto& [first, second] = texts;
    const json added = Last("haneul", {name, "add", code, "--from", from(first)});
    ASSERT_TRUE(added.contains("id"));
    const std::string id = added["id"];
    Last("haneul", {name, "edit", code, id, "--from", from(second)});
    const auto listed = [&](const Words& more) {
      Words words{name, "list", code};
      words.insert(words.end(), more.begin(), more.end());
      std::size_t found = 0;
      for (const json& line : Lines(As("haneul", words))) {
        if (line.contains("id") && line["id"] == id) ++found;
      }
      return found;
    };
    EXPECT_EQ(listed({}), 1u);
    Last("haneul", {name, "strike", code, id});
    EXPECT_EQ(listed({}), 0u);
    EXPECT_EQ(listed({"--all"}), 1u);
  }
}

TEST_F(Cli, PeopleFamiliesAndDuplicatesAreKeptInOrder) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  for (const char* person : {"haneul", "jun", "sora"}) Last(person, {"sync"});
  const auto from = [&](const std::string& text) { return godwit.Write("facts.txt", text); };
  const auto add = [&](const std::string& name) -> std::string {
    return Last("haneul", {"person", "add", "--supervisor", "jun", "--consents", "--from",
                           from("names[0].full = " + name + "\n")})["id"];
  };
  const std::string mother = add("엄마예시");
  const std::string child = add("아이예시");
  Last("haneul", {"person", "edit", child, "--from", from("names[0].full = 아이본보기\n")});
  const auto named = [&](const std::string& name) {
    for (const json& line : Lines(As("haneul", {"person", "list"}))) {
      if (line.contains("names") && line["names"] == json::array({name})) return true;
    }
    return false;
  };
  EXPECT_TRUE(named("아이본보기"));
  EXPECT_FALSE(named("아이예시"));

  const std::string family = Last(
      "haneul", {"family", "make", "--supervisor", "jun", mother + "=principal_applicant"})["id"];
  Last("haneul", {"family", "set", family, child + "=child", "--together", "no",
                  "--separated-since", "2030"});
  const auto members = [&] {
    for (const json& line : Lines(As("haneul", {"family", "list"}))) {
      if (line.contains("members")) return line["members"].size();
    }
    return std::size_t{0};
  };
  EXPECT_EQ(members(), 2u);
  Last("haneul", {"family", "remove", family, child});
  EXPECT_EQ(members(), 1u);

  const std::string first = Last("haneul", {"case", "open", "--supervisor", "jun"})["code"];
  const std::string second = Last("haneul", {"case", "open", "--supervisor", "jun"})["code"];
  Last("haneul", {"person", "unlink", second});
  EXPECT_EQ(Last("haneul", {"case", "show", second})["link"], "none");
  Last("haneul", {"person", "link", second, mother});
  EXPECT_EQ(Last("haneul", {"case", "show", second})["link"], "both_sides");
  EXPECT_EQ(As("haneul", {"case", "merge", second, "--into", first, "--yes"}).exit, 4);
  Last("sora", {"case", "merge", second, "--into", first, "--yes"});
  EXPECT_EQ(Last("haneul", {"case", "show", second})["case"]["status"], "duplicate");
}

TEST_F(Cli, TheCommandsOfTheGuideRun) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "seol,Seol Example,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"
           "hyewon,Hyewon Madeup,auditor\n"
           "baram,Baram Madeup,route\n"));
  for (const char* person : {"haneul", "seol", "jun", "sora", "hyewon", "baram"})
    Last(person, {"sync"});
  std::size_t run = 0;
  for (const char* page : {"caseworker", "supervisor", "coordinator", "admin", "auditor", "route"})
    run += RunPage(page);
  EXPECT_GT(run, 50u);
}

TEST_F(Cli, TheCommandsOfTheGuideRunInAPracticeOrganisation) {
  passphrase = godwit.Write("passphrase", "correct horse battery example\n");
  Words create{"org", "create", "--practice", "--passphrase-fd", "9", "--json"};
  const Ran nowhere = godwit.Run(create, {{9, passphrase}});
  EXPECT_EQ(nowhere.exit, 2);
  EXPECT_NE(nowhere.out.find("./quickstart"), std::string::npos) << "it says what to do";
  for (const auto& [name, server] : Realms()) {
    create.insert(create.end(), {"--realm", RealmOf(name, *server) + "," + ClaimOf(name, *server)});
  }
  // Beside anything else there is nothing to practise with.
  std::filesystem::create_directories(godwit.home() / "haneul");
  for (const auto& folder : {godwit.home(), godwit.home() / "haneul"}) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  }
  EXPECT_EQ(godwit.Run(create, {{9, passphrase}}).exit, 4);
  std::filesystem::remove(godwit.home() / "haneul");

  const Ran made = godwit.Run(create, {{9, passphrase}});
  ASSERT_EQ(made.exit, 0) << made.out << made.err;
  EXPECT_EQ(Lines(made).back()["profiles"].size(), 7u);
  EXPECT_NE(godwit.Run(create, {{9, passphrase}}).exit, 0) << "one is enough";

  // What stands there to be practised with.
  const auto board = Lines(As("practice-sora", {"board"}));
  ASSERT_EQ(board.size(), 6u);
  std::map<std::string, int> stages;
  int overdue = 0;
  for (const json& line : board) {
    EXPECT_EQ(line["practice"], true);
    if (!line.contains("code")) continue;
    ++stages[line["stage"]];
    overdue += line["is_overdue"] ? 1 : 0;
  }
  EXPECT_EQ(stages, (std::map<std::string, int>{
                        {"contact", 2}, {"screening", 1}, {"accepted", 1}, {"planning", 1}}));
  EXPECT_EQ(overdue, 1);
  std::set<std::string> waits;
  for (const char* who : {"practice-haneul", "practice-jun", "practice-seol"}) {
    for (const json& line : Lines(As(who, {"today"}))) waits.insert(line.value("what", ""));
  }
  for (const char* what : {"task", "follow_up", "approval_waits", "hand_over"}) {
    EXPECT_TRUE(waits.contains(what)) << what;
  }

  // Every command says it, before anything is unlocked too, and whatever becomes of it.
  for (const Words& words :
       {Words{"whoami"}, Words{"lock"}, Words{"unlock"}, Words{"status"}, Words{"case", "list"},
        Words{"org", "fingerprint"}, Words{"outbox"}, Words{"case", "show", "0000-0000-00*"}}) {
    for (const char* who : {"practice-minji", "practice-haneul"}) {
      const Ran ran = As(who, words);
      EXPECT_NE(ran.err.find("PRACTICE"), std::string::npos) << testing::PrintToString(words);
      for (const json& line : Lines(ran)) EXPECT_EQ(line["practice"], true) << line;
    }
  }
  // Its mark is signed, so that a device that joins knows of it as well, by no file.
  std::filesystem::remove(godwit.home() / "practice-jun" / "practice");
  EXPECT_NE(As("practice-jun", {"whoami"}).err.find("PRACTICE"), std::string::npos);

  EXPECT_GT(RunPage("practice"), 10u);
  // What bears no mark is not removed, though it has a name like the others.
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(godwit.home())) {
    left.insert(entry.path().filename().string());
  }
  EXPECT_EQ(left, (std::set<std::string>{"practice-jun"}));
  EXPECT_EQ(As("practice-jun", {"org", "remove-practice", "--yes"}).exit, 1);
}

TEST_F(Cli, ABoardThatIsWatchedShowsWhatOthersWrite) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  const auto open = [&] {
    return Last("haneul", {"case", "open", "--supervisor", "jun", "summary.risk=low",
                           "summary.consent.services=yes"})["code"];
  };
  const json code = open();
  auto watching = Start("sora", {"board", "--watch"});
  std::size_t seen = 0;
  EXPECT_EQ(Await(watching, seen, [&](const json& line) { return line.contains("code"); })["code"],
            code);
  EXPECT_EQ(
      Await(watching, seen, [&](const json& line) { return line.contains("cases"); })["cases"], 1);
  AwaitEvent(watching, seen, "online");
  Last("haneul", {"case", "edit", code, "summary.risk=high"});
  EXPECT_EQ(AwaitEvent(watching, seen, "changed")["case"]["risk"], "high");
  const json other = open();
  EXPECT_EQ(AwaitEvent(watching, seen, "changed")["case"]["code"], other);
  // Other commands work beside it.
  EXPECT_EQ(Lines(As("sora", {"case", "list"})).size(), 2u);

  // It says when it hears nothing, and goes on by itself.
  servers.cases.Stop();
  EXPECT_EQ(AwaitEvent(watching, seen, "offline")["code"], "UNAVAILABLE");
  servers.cases.Start();
  AwaitEvent(watching, seen, "online");
  SyncSoon("haneul");
  Last("haneul", {"case", "edit", other, "summary.risk=medium"});
  EXPECT_EQ(AwaitEvent(watching, seen, "changed")["case"]["risk"], "medium");

  // What no longer fits is gone.
  auto high = Start("sora", {"board", "--watch", "--risk", "high"});
  std::size_t seen_high = 0;
  AwaitEvent(high, seen_high, "online");
  Last("haneul", {"case", "edit", code, "summary.risk=low"});
  EXPECT_EQ(AwaitEvent(high, seen_high, "gone")["code"], code);
  EXPECT_EQ(high.End(SIGTERM), 0);

  // It ends when it is told to.
  EXPECT_EQ(watching.End(SIGINT), 0) << watching.err();
  EXPECT_EQ(As("sora", {"board", "--watch", "--offline"}).exit, 2);

  // Or when the keys are locked, or the member is one no more.
  auto locked = Start("sora", {"board", "--watch"});
  std::size_t seen_locked = 0;
  AwaitEvent(locked, seen_locked, "online");
  EXPECT_EQ(godwit.Run({"lock", "--profile", "sora", "--json"}).exit, 0);
  EXPECT_EQ(locked.End(0), 4);
  auto removed = Start("sora", {"board", "--watch", "--no-agent"});
  std::size_t seen_removed = 0;
  AwaitEvent(removed, seen_removed, "online");
  Last("minji", {"member", "remove", "sora", "--reason", "left", "--yes"});
  EXPECT_EQ(removed.End(0), 4) << removed.out();
}

TEST_F(Cli, AServiceThatLiesToAWatchedBoardCostsSyncsAlone) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "sora,Sora Imaginary,coordinator\n"));
  realm::v1::WatchResponse unknown;
  unknown.add_vaults()->set_vault(std::string(16, 'x'));
  unknown.mutable_vaults(0)->set_head_seq(7);
  unknown.set_roster_seq(1'000'000);
  // Each stream says so and ends.
  liar.AnswerWith(unknown);
  liar.ForgetCalls();
  auto watching = Start("sora", {"board", "--watch"});
  while (liar.CallsOf("Watch") < 4) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(watching.End(SIGINT), 0);
  // The first sync of all, and one for each stream at most; nothing is asked of what is not there.
  EXPECT_LE(liar.CallsOf("FetchBoard"), liar.CallsOf("Watch") + 1);
  for (const auto& call : liar.calls()) {
    EXPECT_EQ(call.request.find(std::string(16, 'x')), std::string::npos) << call.method;
  }
  EXPECT_EQ(liar.CallsOf("AppendEntries") + liar.CallsOf("AppendStatements"), 0u);
  liar.BeHonest();
  EXPECT_TRUE(Lines(As("sora", {"evidence", "list"})).empty());
}

TEST_F(Cli, TheBoardIsFilteredSortedAndWrittenToAFileOfCodes) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "seol,Seol Example,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"));
  const auto open = [&](const std::string& who, const std::string& risk) -> std::string {
    return Last(who, {"case", "open", "--supervisor", "jun", "summary.risk=" + risk,
                      "summary.consent.services=yes"})["code"];
  };
  const std::string low = open("haneul", "low");
  const std::string high = open("haneul", "high");
  const std::string other = open("seol", "medium");
  const auto codes = [&](Words words) {
    words.insert(words.begin(), "board");
    std::vector<std::string> found;
    for (const json& line : Lines(As("sora", words))) {
      if (line.contains("code")) found.push_back(line["code"]);
    }
    return found;
  };
  using Codes = std::vector<std::string>;
  EXPECT_EQ(codes({}), (Codes{high, other, low}));
  EXPECT_EQ(codes({"--sort", "-risk"}), (Codes{low, other, high}));
  EXPECT_EQ(codes({"--sort", "caseworker,-risk"}), (Codes{low, high, other}));
  EXPECT_EQ(codes({"--risk", "high,medium"}), (Codes{high, other}));
  EXPECT_EQ(codes({"--caseworker", "haneul", "--risk", "low"}), (Codes{low}));
  EXPECT_EQ(codes({"--supervisor", "jun", "--limit", "1"}), (Codes{high}));
  EXPECT_EQ(codes({"--approval-waits"}), Codes());
  EXPECT_EQ(codes({"--stage", "ready"}), Codes());

  // What a filter does not have is an error that says what it has.
  const Ran wrong = As("sora", {"board", "--stage", "redy"});
  EXPECT_EQ(wrong.exit, 2);
  const auto lines = Lines(wrong);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[lines.size() - 2]["unknown"], "redy");
  EXPECT_EQ(lines[lines.size() - 2]["known"].size(), 11u);
  EXPECT_NE(wrong.err.find("in_transit"), std::string::npos) << wrong.err;
  const Ran nobody = As("sora", {"board", "--caseworker", "jun"});
  EXPECT_EQ(nobody.exit, 2);
  EXPECT_NE(nobody.err.find("haneul, seol"), std::string::npos) << nobody.err;

  // As a file: this user's alone, not written over unless that is said, without a name.
  const std::string file = (godwit.dir() / "board.csv").string();
  EXPECT_EQ(Last("sora", {"board", "--export", file})["cases"], 3);
  const std::string sheet = Program::Read(file);
  EXPECT_TRUE(
      sheet.starts_with("\xef\xbb\xbf"
                        "code,"));
  EXPECT_EQ(std::ranges::count(sheet, '\n'), 4);
  EXPECT_EQ(sheet.find("Specimen"), std::string::npos);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(As("sora", {"board", "--risk", "high", "--export", file}).exit, 1);
  EXPECT_EQ(Program::Read(file), sheet);
  EXPECT_EQ(Last("sora", {"board", "--risk", "high", "--export", file, "--yes"})["cases"], 1);
  EXPECT_EQ(std::ranges::count(Program::Read(file), '\n'), 2);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(As("sora", {"board", "--export", godwit.dir().string(), "--yes"}).exit, 2)
      << "a folder is no file";
}

TEST_F(Cli, SeveralCasesAreClosedAtOnceAndWhatIsLeftIsNamed) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  std::vector<std::string> codes;
  for (int i = 0; i < 4; ++i) {
    codes.push_back(Last("haneul", {"case", "open", "--supervisor", "jun"})["code"]);
  }
  const auto closed = [&] { return Last("sora", {"board", "--status", "closed"})["matching"]; };
  const Words close{"case", "close", codes[0], codes[1], codes[2], "--reason", "unreachable"};
  const auto with = [&](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };

  // Shown alone; not closed without an answer; not with a code that is none of theirs.
  const auto shown = Lines(As("sora", with(close, {"--dry-run"})));
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0]["stage"], "contact");
  EXPECT_EQ(shown[0]["approval_closure"], "none");
  EXPECT_EQ(As("sora", close).exit, 2) << "there is nobody to ask";
  EXPECT_EQ(As("sora", with(close, {"--yes", "0000-0000-000"})).exit, 1);
  EXPECT_EQ(As("sora", with(close, {"--yes", "--incident", "3f09a1b2"})).exit, 2);
  EXPECT_EQ(closed(), 0);

  // One is closed by itself as ever; of the three, that one fails and the others are done.
  EXPECT_EQ(Last("haneul", {"case", "close", codes[1], "--reason", "unreachable"})["event"],
            "closed");
  const Ran partly = As("sora", with(close, {"--yes"}));
  EXPECT_EQ(partly.exit, 7) << partly.out;
  const auto lines = Lines(partly);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines.back()["cases"], 3);
  EXPECT_EQ(lines.back()["closed"], 2);
  EXPECT_EQ(lines.back()["left"], json({codes[1]}));
  EXPECT_EQ(std::ranges::count_if(lines,
                                  [&](const json& line) {
                                    return line.contains("failed") && line["failed"] == codes[1] &&
                                           line["code"] == "PERMISSION_DENIED";
                                  }),
            1);
  EXPECT_EQ(closed(), 3);

  // All of them fail: the command does, for the reason of the first.
  EXPECT_EQ(As("sora", with(close, {"--yes"})).exit, 4);
  EXPECT_EQ(Last("sora", {"case", "close", codes[3], codes[3], "--reason", "unreachable",
                          "--yes"})["closed"],
            1)
      << "named twice, closed once";
  EXPECT_EQ(closed(), 4);
  EXPECT_EQ(Last("sora", {"board"})["hidden_as_closed"], 4);
}

TEST_F(Cli, OneOwnCaseIsExportedAndNeverMany) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "seol,Seol Example,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"));
  const std::string facts = godwit.Write("facts.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "identity_profile.names[0].full = 가상인\n");
  const std::string code =
      Last("haneul", {"case", "open", "--supervisor", "jun", "--from", facts})["code"];
  Last("haneul", {"case", "note", code}, {{0, godwit.Write("note.txt", "Asks after kin.\n")}});
  Last("haneul", {"case", "stage", code, "screening"});

  const std::string file = (godwit.dir() / "case.json").string();
  const Ran exported = As("haneul", {"export", code, "--out", file});
  ASSERT_EQ(exported.exit, 0) << exported.out << exported.err;
  EXPECT_NE(exported.err.find("not encrypted"), std::string::npos);
  EXPECT_EQ(Lines(exported).back()["parts"], json({"case", "sensitive", "person"}));
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const json whole = json::parse(Program::Read(file));
  EXPECT_EQ(whole["godwit_export"], 1);
  EXPECT_EQ(whole["case"]["code"], code);
  EXPECT_EQ(whole["case"]["stage"], "screening");
  EXPECT_EQ(whole["link"], "both_sides");
  EXPECT_EQ(whole["history"].back()["to"], "screening");
  const auto content = [&](const json& from, const std::string& part, const std::string& type) {
    for (const json& record : from["parts"][part]["records"]) {
      if (record["type"] == type) return record["content"];
    }
    return json();
  };
  EXPECT_EQ(content(whole, "sensitive", "note")["text"], "Asks after kin.");
  EXPECT_EQ(content(whole, "person", "identity_profile")["names"][0]["full"], "가상인");
  EXPECT_EQ(content(whole, "person", "consent")["store_identity"], "yes");
  EXPECT_EQ(whole["not_yours"], json::array());

  // The supervisor has what supervisors read; colleagues and coordinators export no case.
  const std::string theirs = (godwit.dir() / "theirs.json").string();
  EXPECT_EQ(Last("jun", {"export", code, "--out", theirs})["not_yours"], json({"person"}));
  EXPECT_EQ(Program::Read(theirs).find("가상인"), std::string::npos);
  const std::string none = (godwit.dir() / "none.json").string();
  EXPECT_EQ(As("seol", {"export", code, "--out", none}).exit, 1);
  EXPECT_EQ(As("sora", {"export", code, "--out", none}).exit, 4);
  EXPECT_FALSE(std::filesystem::exists(none));
  EXPECT_EQ(As("haneul", {"export", code, "--out", theirs}).exit, 1) << "a file is there";
}

TEST_F(Cli, ACardOnPaperNamesNobodyAndAFormSaysWhatWasAnswered) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  const std::string facts = godwit.Write("facts.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "summary.sex = female\n"
                                         "identity_profile.names[0].full = Garam Invented\n");
  const std::string code =
      Last("haneul", {"case", "open", "--supervisor", "jun", "--from", facts})["code"];
  Last("sora", {"sync"});
  for (const char* person : {"haneul", "sora"}) {
    const std::string card = std::string(person) + ".pdf";
    const json printed = Last(person, {"print", "case-card", code, "--out", PathOf(card)});
    EXPECT_EQ(printed["pages"], 1);
    EXPECT_EQ(std::filesystem::status(PathOf(card)).permissions() & std::filesystem::perms::all,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const std::string text = PdfText(card);
    EXPECT_NE(text.find(code.substr(0, 4) + "-" + code.substr(4, 4)), std::string::npos) << text;
    EXPECT_NE(text.find("female"), std::string::npos) << text;
    for (const char* name : {"Garam", "Invented", "Haneul", "Jun", "Sora"}) {
      EXPECT_EQ(text.find(name), std::string::npos) << text;
    }
  }

  // As it was answered, in a language of the person's; the name is theirs to write.
  Last("haneul", {"consent", code, "share_unhcr=no", "language=ko", "from=individual"});
  EXPECT_EQ(Last("haneul", {"print", "consent-form", code, "--language", "ko", "--out",
                            PathOf("form.pdf")})["event"],
            "printed");
  const std::string form = PdfText("form.pdf");
  EXPECT_NE(form.find("동의서"), std::string::npos) << form;
  EXPECT_NE(form.find("Haneul Specimen"), std::string::npos) << form;
  EXPECT_EQ(form.find("Garam"), std::string::npos) << form;
  std::string dense = form;
  std::erase_if(dense, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_NE(dense.find("X본인"), std::string::npos) << form;
  EXPECT_NE(dense.find("X아니요"), std::string::npos) << form;

  // Nothing is written over, or to what is no file.
  EXPECT_EQ(As("haneul", {"print", "case-card", code, "--out", PathOf("form.pdf")}).exit, 1);
  EXPECT_EQ(PdfText("form.pdf"), form);
  EXPECT_EQ(As("haneul", {"print", "case-card", code, "--out", "/dev/tty", "--yes"}).exit, 2);
  // Whoever has no part in the person has none of the form.
  EXPECT_NE(As("sora", {"print", "consent-form", code, "--out", PathOf("none.pdf")}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(PathOf("none.pdf")));
  // A blank form needs no keys.
  EXPECT_EQ(
      godwit.Run({"print", "consent-form", "--language", "th", "--out", PathOf("blank.pdf")}).exit,
      0);
}

TEST_F(Cli, WhoeverTookTheirConsentBackGetsALetterOnWhatWasShared) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  const std::string facts = godwit.Write("facts.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "identity_profile.names[0].full = Garam Invented\n");
  const std::string code =
      Last("haneul", {"case", "open", "--supervisor", "jun", "--from", facts})["code"];
  // Without spaces: where words end in Thai, a reader of the file guesses.
  const auto dense = [&](const std::string& name) {
    std::string text = PdfText(name);
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
  };
  const auto printed = [&](const std::string& name, const std::string& language) {
    const json made = Last(
        "haneul", {"print", "withdrawal", code, "--language", language, "--out", PathOf(name)});
    EXPECT_EQ(made["what"], "withdrawal");
    return dense(name);
  };

  const Ran early = As("haneul", {"print", "withdrawal", code, "--out", PathOf("early.pdf")});
  EXPECT_EQ(early.exit, 1);
  EXPECT_NE(early.out.find("godwit consent CODE --withdraw"), std::string::npos) << early.out;
  EXPECT_FALSE(std::filesystem::exists(PathOf("early.pdf")));

  // Whoever records a withdrawal is told of the letter. Nothing was shared by then.
  Last("haneul", {"consent", code, "share_partner=yes"});
  const Ran withdrawn =
      godwit.Run({"consent", code, "--withdraw", "--profile", "haneul", "--passphrase-fd", "9"},
                 {{9, passphrase}});
  EXPECT_EQ(withdrawn.exit, 0) << withdrawn.err;
  EXPECT_NE(withdrawn.out.find("`godwit print withdrawal CODE"), std::string::npos)
      << withdrawn.out;
  const std::string nothing = printed("nothing.pdf", "en");
  EXPECT_NE(nothing.find("Nothing:neitherareferral"), std::string::npos) << nothing;

  Last("haneul", {"consent", code, "share_partner=yes"});
  EXPECT_EQ(As("haneul", {"print", "withdrawal", code, "--out", PathOf("early.pdf")}).exit, 1)
      << "they agreed anew";
  const json referral = Last("haneul", {"referral", "add", code, "to_org=Invented Clinic",
                                        "share_with=partner", "service=health_medical",
                                        "shared_fields=summary.sex,identity_profile.names,need"});
  // Papers are in the language of whoever reads them.
  Last("haneul", {"print", "referral", code, referral["id"], "--language", "zh", "--out",
                  PathOf("referral.pdf")});
  EXPECT_NE(dense("referral.pdf").find("转介"), std::string::npos) << dense("referral.pdf");
  Last("haneul", {"print", "case-card", code, "--language", "th", "--out", PathOf("card.pdf")});
  EXPECT_NE(dense("card.pdf").find("สถานะ"), std::string::npos) << dense("card.pdf");
  EXPECT_EQ(
      As("haneul", {"print", "case-card", code, "--language", "tlh", "--out", PathOf("none.pdf")})
          .exit,
      2);

  Last("haneul", {"consent", code, "--withdraw"});
  for (const auto& [language, words] : std::map<std::string, std::vector<std::string>>{
           {"en", {"InventedClinic", "Personaldetails:sex,names", "Specificneeds", "Wetellthem"}},
           {"ko", {"InventedClinic", "신상정보:성별,이름", "특별필요", "파기하라고요청합니다"}},
           {"zh", {"InventedClinic", "个人情况:性别,姓名", "特殊需求", "并予以销毁"}},
           {"th", {"InventedClinic", "ข้อมูลส่วนตัว:", "ความต้องการเฉพาะ"}}}) {
    const std::string text = printed(language + ".pdf", language);
    for (const std::string& word : words) {
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
    }
    // The name is nobody's business who finds the letter.
    EXPECT_EQ(text.find("Garam"), std::string::npos) << text;
  }
  // Whoever has no part in the person has none of the letter.
  EXPECT_NE(As("sora", {"print", "withdrawal", code, "--out", PathOf("none.pdf")}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(PathOf("none.pdf")));
}

TEST_F(Cli, SomebodyIsRegisteredWhileTheKeysAreLocked) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  Last("haneul", {"sync"});
  Last("haneul", {"lock"});
  const std::string facts = godwit.Write("facts.txt",
                                         "summary.consent.store_identity = yes\n"
                                         "identity_profile.names[0].full = 가상인\n");
  // No passphrase, no agent, and no service that answers.
  for (const auto& [name, server] : Realms()) server->Stop();
  const auto draft = [&](const Words& more) {
    Words words{"person", "draft", "--profile", "haneul", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return godwit.Run(words);
  };
  for (int i = 1; i <= 2; ++i) {
    const Ran drafted = draft({"--supervisor", "jun", "--from", facts});
    ASSERT_EQ(drafted.exit, 0) << drafted.out << drafted.err;
    EXPECT_EQ(Lines(drafted).back()["waiting"], i);
  }
  EXPECT_EQ(draft({"--supervisor", "jun", "--from", godwit.Write("bad.txt", "no.such = x\n")}).exit,
            1);
  for (const auto& file : std::filesystem::recursive_directory_iterator(godwit.home() / "haneul")) {
    if (!file.is_regular_file()) continue;
    EXPECT_EQ(Program::Read(file.path().string()).find("가상인"), std::string::npos) << file.path();
  }
  // One is changed by somebody.
  const auto folder = godwit.home() / "haneul" / "drafts";
  const auto changed = std::filesystem::directory_iterator(folder)->path();
  const std::string id = changed.filename().string().substr(0, 8);
  std::string bytes = Program::Read(changed.string());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(changed, std::ios::binary) << bytes;

  // And so is the key, as the next command that is unlocked says, once.
  const std::string key = (godwit.home() / "haneul" / "draft.key").string();
  std::string foreign = Program::Read(key);
  foreign[50] = static_cast<char>(foreign[50] ^ 1);
  std::ofstream(key, std::ios::binary) << foreign;
  EXPECT_EQ(draft({"--supervisor", "jun", "--from", facts}).exit, 5);
  constexpr const char* kSaid = "was changed on this disk";
  EXPECT_NE(As("haneul", {"person", "list"}).err.find(kSaid), std::string::npos);
  EXPECT_EQ(As("haneul", {"person", "list"}).err.find(kSaid), std::string::npos);

  const auto today = Lines(As("haneul", {"today", "--offline"}));
  ASSERT_EQ(today.size(), 1u);
  EXPECT_EQ(today[0]["what"], "drafts");
  EXPECT_EQ(today[0]["detail"], "2");
  for (const auto& [name, server] : Realms()) server->Start();
  const Ran synced = As("haneul", {"sync"});
  EXPECT_NE(synced.exit, 0) << synced.out << synced.err;
  std::string code;
  int stayed = 0;
  for (const json& line : Lines(synced)) {
    stayed += line.value("failed", "") == id ? 1 : 0;
    if (line.value("event", "") == "taken_in") code = line["code"];
  }
  EXPECT_EQ(stayed, 1);
  EXPECT_EQ(SyncSoon("haneul")["error"]["code"], "E_DECRYPT") << "it stays, and so does the word";
  EXPECT_EQ(Last("haneul", {"person", "show", code})["person"]["names"][0]["full"], "가상인");
  EXPECT_EQ(Last("haneul", {"person", "draft", "--discard", id, "--yes"})["event"], "discarded");
  EXPECT_EQ(Last("haneul", {"sync"})["event"], "synced");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(Cli, FindsFaultsRepairsThemAndSaysWhoReads) {
  ASSERT_NO_FATAL_FAILURE(FoundWithATeam());
  const std::string code = Last("haneul", {"case", "open", "--supervisor", "jun"})["code"];
  json who = Last("haneul", {"case", "who", code});
  ASSERT_EQ(who["parts"].size(), 3u);
  EXPECT_EQ(who["parts"][0]["part"], "case");
  ASSERT_EQ(who["parts"][0]["readers"].size(), 3u);
  EXPECT_EQ(who["parts"][0]["readers"][0]["name"], "Haneul Specimen");
  EXPECT_EQ(who["parts"][0]["readers"][0]["may"], "reads, writes and manages");
  EXPECT_EQ(who["parts"][0]["readers"][0]["epochs"], json({1}));
  EXPECT_EQ(who["parts"][2]["readers"][1]["may"], "manages without reading");
  const Ran screen = godwit.Run({"case", "who", code, "--profile", "sora"});
  EXPECT_EQ(screen.exit, 0);
  EXPECT_NE(screen.out.find("Who reads the case, epoch 1"), std::string::npos) << screen.out;
  EXPECT_NE(screen.out.find("Who reads the person is not yours to see"), std::string::npos);

  // Somebody comes later: the doctor says so, and what to run; the plan shows who gains what.
  ASSERT_NO_FATAL_FAILURE(Join("handle,name,roles\nnari,Nari Invented,coordinator\n"));
  EXPECT_EQ(As("nari", {"case", "show", code}).exit, 1);
  const auto findings = Lines(As("haneul", {"org", "doctor"}));
  const auto missing = std::ranges::find_if(
      findings, [](const json& line) { return line.value("code", "") == "vault_members_missing"; });
  ASSERT_NE(missing, findings.end());
  EXPECT_EQ((*missing)["grade"], "warning");
  EXPECT_EQ((*missing)["realm"], "cases");
  EXPECT_EQ((*missing)["vaults"].size(), 1u);
  EXPECT_EQ(findings.back()["broken"], 0);
  const auto plan = Lines(As("sora", {"reconcile", "--dry-run"}));
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[0]["repair"]["gains"][0]["name"], "Nari Invented");
  EXPECT_EQ(plan[0]["repair"]["gains"][0]["perm"], 7);
  EXPECT_EQ(plan[1]["repaired"], 0);
  EXPECT_EQ(As("sora", {"reconcile"}).exit, 2) << "nobody agreed to it";
  EXPECT_EQ(As("nari", {"case", "show", code}).exit, 1);
  EXPECT_EQ(Last("sora", {"reconcile", "--yes", "--hide-history"})["repaired"], 1);
  EXPECT_EQ(Last("nari", {"case", "show", code})["case"]["code"], code);
  EXPECT_EQ(Last("sora", {"reconcile", "--yes"})["repaired"], 0);
  who = Last("nari", {"case", "who", code});
  EXPECT_EQ(who["parts"][0]["history_hidden_at"], json({2}));
  EXPECT_EQ(who["not_yours"], json({"sensitive", "person"}));

  // One realm that cannot be reached keeps no other from being repaired.
  servers.identity.Stop();
  const Ran partly = As("haneul", {"reconcile", "--yes"});
  EXPECT_EQ(partly.exit, 7) << partly.out << partly.err;
  EXPECT_EQ(Lines(partly).back()["failed"], 1);
  EXPECT_EQ(As("haneul", {"reconcile", "--realm", "identity"}).exit, 3);
  EXPECT_EQ(As("haneul", {"reconcile", "--realm", "nowhere"}).exit, 2);
  servers.identity.Start();

  // What is broken shows in the exit code: two must sign, and one is left who can.
  EXPECT_EQ(As("minji", {"org", "doctor"}).exit, 0);
  ASSERT_NO_FATAL_FAILURE(Join("handle,name,roles\ndana,Dana Example,owner admin\n"));
  Last("minji", {"policy", "set", "owner_threshold=2", "grant_threshold=2", "--yes"});
  Last("minji", {"device", "revoke", "dana", "--reason", "lost", "--yes"});
  const Ran broken = As("minji", {"org", "doctor"});
  EXPECT_EQ(broken.exit, 1) << broken.out << broken.err;
  EXPECT_EQ(Lines(broken).front()["code"], "owners_few");
  EXPECT_EQ(Lines(broken).front()["grade"], "broken");
  EXPECT_GT(Lines(broken).back()["broken"], 0);
}

TEST_F(Cli, MakesLedgersInTwoStepsAndImports) {
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_NO_FATAL_FAILURE(
      Join("handle,name,roles\n"
           "haneul,Haneul Specimen,caseworker\n"
           "jun,Jun Example,supervisor\n"
           "sora,Sora Imaginary,coordinator\n"
           "nari,Nari Specimen,intake\n"));
  const std::string sample = (godwit.dir() / "sample.csv").string();
  const std::string mapping = (godwit.dir() / "sample.toml").string();
  Last("minji", {"import", "sample", "--out", sample, "--mapping-out", mapping, "--cases", "12",
                 "--caseworkers", "haneul", "--supervisors", "jun"});
  const Words import{"import", "cases", sample, "--mapping", mapping};

  EXPECT_EQ(As("nari", import).exit, 4) << "no ledger yet";
  EXPECT_EQ(As("haneul", {"org", "ledger", "make"}).exit, 4) << "no intake role";
  const json made = Last("nari", {"org", "ledger", "make"});
  EXPECT_EQ(Last("nari", {"org", "ledger", "make"}), made) << "made once";
  EXPECT_EQ(As("nari", {"org", "ledger", "name", made["identity"], made["cases"]}).exit, 4)
      << "not an owner";
  Last("minji", {"org", "ledger", "name", made["identity"], made["cases"]});
  EXPECT_EQ(As("minji", {"org", "ledger", "name", made["cases"], made["identity"]}).exit, 1)
      << "another one is named";
  EXPECT_EQ(Last("nari", {"org", "ledger"})["ledgers"]["cases"]["yours"], true);

  EXPECT_EQ(Last("nari", import)["made_now"], 12);
  const json again = Last("nari", import);
  EXPECT_EQ(again["made_now"], 0);
  EXPECT_EQ(again["imported"], 12);
  EXPECT_EQ(Last("sora", {"board"})["cases"], 12);
  EXPECT_EQ(Lines(As("haneul", {"case", "list"})).size(), 12u);
  EXPECT_TRUE(Lines(As("nari", {"case", "list"})).empty()) << "an importer reads nothing back";
}

}  // namespace
}  // namespace godwit::cli
