// People registered while the keys are locked, on a device that somebody else may get hold of.
#include "client/drafts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "client/cases.h"
#include "client/keystore_file.h"
#include "client/outbox.h"
#include "client/persons.h"
#include "client/pinned_rows.h"
#include "tests/client/temporary.h"
#include "tests/support/builders.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: names of records
using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;

class Drafts : public testing::Test {
 protected:
  Drafts() : organisation_(servers_) { organisation_.Join(support::Staff(2, 1, 1, 0, 0)); }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  Realm& IdentityOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kIdentity);
  }
  // What `handle` keeps on this machine.
  Profile ProfileOf(const std::string& handle) {
    const auto there = Profile::Open(handle);
    if (there) return *there;
    Profile made = Must(Profile::Create(handle));
    Require(CreateKeystoreFile(made.KeystorePath(Compartment::kIdentity),
                               support::Passphrase("correct horse"), {3, 64u << 20},
                               IdentityOf(handle).keys()));
    Must(KeepDraftKey(made, IdentityOf(handle)));
    return made;
  }
  static NewCase Form(const std::string& name = "가상인") {
    NewCase form;
    form.supervisor = "sv1";
    form.summary.set_sex(SEX_FEMALE);
    form.summary.mutable_consent()->set_store_identity(ANSWER_YES);
    form.profile.add_names()->set_full(name);
    return form;
  }
  static std::filesystem::path PathOf(const Profile& profile, const DraftId& draft) {
    return profile.DraftsPath() / base::ToHex(draft.bytes());
  }
  static std::string Read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static void Write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::vector<PersonRow> PeopleOf(const std::string& handle) {
    organisation_.Sync(handle);
    for (const auto& [compartment, realm] : Of(handle).realms()) {
      for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kPerson}) {
        if (protocol::HasKind(compartment, kind)) Require(SyncPinnedRows(*realm, kind));
      }
    }
    return Must(ListPeople(Of(handle)));
  }

  support::ProfileHome home_;
  support::RealmServers servers_;
  support::TestOrganisation organisation_;
};

TEST_F(Drafts, AreReadByNobodyUntilTheKeysAreOpenAndThenAreACase) {
  const Profile profile = ProfileOf("cw01");
  const DraftId draft = Must(WriteDraft(profile, Form()));
  EXPECT_EQ(Must(ListDrafts(profile)), std::vector<DraftId>{draft});
  EXPECT_EQ(Must(FindDraft(profile, ShortId(draft))), draft);
  // Two of one form have nothing in common but their length and whose they are.
  const DraftId second = Must(WriteDraft(profile, Form("가나")));
  const std::string file = Read(PathOf(profile, draft));
  EXPECT_EQ(file.size(), Read(PathOf(profile, second)).size());
  for (const char* part : {"가상인", "sv1", "full"}) {
    EXPECT_EQ(file.find(part), std::string::npos) << part;
  }

  const std::string code = Must(TakeDraftIn(profile, Of("cw01"), draft));
  EXPECT_EQ(Must(ListDrafts(profile)), std::vector<DraftId>{second});
  EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting, 3u);
  EXPECT_EQ(Must(SendOutbox(Of("cw01"))).waiting, 0u);
  const auto person = Must(ShowPerson(Of("cw01"), code));
  EXPECT_EQ(person.profile.names(0).full(), "가상인");
  ASSERT_EQ(person.file.Of(Record::kConsent).size(), 1u);
  const auto shown = Must(ShowCase(Of("sv1"), code));
  EXPECT_EQ(shown.row.summary.sex(), SEX_FEMALE);
  EXPECT_EQ(shown.row.summary.consent().store_identity(), ANSWER_YES);
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).link, LinkState::kBothSides);
}

TEST_F(Drafts, InterruptedAnywhereMakeOnePersonAndOneCase) {
  const Profile profile = ProfileOf("cw01");
  std::size_t people = 0;
  for (int last = 0; last <= 6; ++last) {
    SCOPED_TRACE(last);
    const DraftId draft = Must(WriteDraft(profile, Form()));
    const std::string file = Read(PathOf(profile, draft));
    int steps = 0;
    const auto taken = TakeDraftIn(profile, Of("cw01"), draft, {}, [&] { return steps++ < last; });
    // Six steps there are: what it becomes, three vaults, that they are there, the file.
    EXPECT_EQ(taken.ok(), last == 6);
    EXPECT_EQ(std::filesystem::exists(PathOf(profile, draft)), last < 6) << "both, or one";
    if (last < 6) {
      // In some of them what is there already goes out first.
      std::size_t sent = 0;
      if (last % 2 == 1) {
        sent = Must(Outbox(Of("cw01"))).waiting;
        Must(SendOutbox(Of("cw01")));
      }
      const auto again = TakeDraftIn(profile, Of("cw01"), draft);
      EXPECT_TRUE(again.ok() || again.error().code() == Code::kExists);
      EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting + sent, 3u) << "each vault once";
    }
    EXPECT_EQ(Must(SendOutbox(Of("cw01"))).waiting, 0u);
    EXPECT_EQ(PeopleOf("cw01").size(), ++people) << "never none, never two";
    EXPECT_EQ(Must(ListCases(Of("cw01"))).size(), people);

    // Whoever puts the file back makes nobody of it.
    Write(PathOf(profile, draft), file);
    EXPECT_EQ(TakeDraftIn(profile, Of("cw01"), draft).error().code(), Code::kExists);
    EXPECT_FALSE(std::filesystem::exists(PathOf(profile, draft)));
    EXPECT_EQ(PeopleOf("cw01").size(), people);
  }
}

TEST_F(Drafts, ThatWereChangedAreSaidAndKept) {
  const Profile profile = ProfileOf("cw01");
  const DraftId draft = Must(WriteDraft(profile, Form()));
  const std::string file = Read(PathOf(profile, draft));
  // tag[6] ver suite[2] realm[16] member[16] gen[4] id[16] box[80] salt...
  const std::pair<std::size_t, Code> changes[] = {{0, Code::kDecrypt},
                                                  {6, Code::kUnsupported},
                                                  {8, Code::kUnsupported},
                                                  {9, Code::kPermissionDenied},
                                                  {25, Code::kPermissionDenied},
                                                  {44, Code::kNotFound},
                                                  {45, Code::kDecrypt},
                                                  {61, Code::kDecrypt},
                                                  {140, Code::kDecrypt},
                                                  {200, Code::kDecrypt},
                                                  {file.size() - 1, Code::kDecrypt}};
  for (const auto& [at, want] : changes) {
    SCOPED_TRACE(at);
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 2);
    Write(PathOf(profile, draft), changed);
    const auto taken = TakeDraftIn(profile, Of("cw01"), draft);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), want);
    EXPECT_EQ(Read(PathOf(profile, draft)), changed) << "kept as it is";
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{30}, std::size_t{70}, file.size() - 1}) {
    Write(PathOf(profile, draft), file.substr(0, size));
    EXPECT_EQ(TakeDraftIn(profile, Of("cw01"), draft).error().code(), Code::kDecrypt) << size;
  }
  // Nor under another name.
  DraftId other;
  std::filesystem::remove(PathOf(profile, draft));
  Write(PathOf(profile, other), file);
  EXPECT_EQ(TakeDraftIn(profile, Of("cw01"), other).error().code(), Code::kDecrypt);
  EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting, 0u);
  Require(DiscardDraft(profile, other));
  EXPECT_TRUE(Must(ListDrafts(profile)).empty());
  // Whole again, it is whole again.
  Write(PathOf(profile, draft), file);
  Must(TakeDraftIn(profile, Of("cw01"), draft));
}

TEST_F(Drafts, OfAnotherMemberAreNotRead) {
  const Profile theirs = ProfileOf("cw02");
  const Profile mine = ProfileOf("cw01");
  Must(WriteDraft(mine, Form("하나")));
  const DraftId draft = Must(WriteDraft(theirs, Form()));
  std::filesystem::copy_file(PathOf(theirs, draft), PathOf(mine, draft));
  EXPECT_EQ(TakeDraftIn(mine, Of("cw01"), draft).error().code(), Code::kPermissionDenied);
  EXPECT_TRUE(std::filesystem::exists(PathOf(mine, draft)));
  // Renamed to be this member's, it does not open either.
  std::string forged = Read(PathOf(theirs, draft));
  const auto member = base::ToString(IdentityOf("cw01").member().bytes());
  forged.replace(25, member.size(), member);
  Write(PathOf(mine, draft), forged);
  EXPECT_EQ(TakeDraftIn(mine, Of("cw01"), draft).error().code(), Code::kDecrypt);
  EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting, 0u);
  // It is still theirs.
  Must(TakeDraftIn(theirs, Of("cw02"), draft));
}

TEST_F(Drafts, WhatIsWrongWithOneIsSaidWhenItIsWritten) {
  const Profile profile = ProfileOf("cw01");
  NewCase nameless = Form();
  nameless.summary.clear_consent();
  EXPECT_EQ(WriteDraft(profile, nameless).error().code(), Code::kInvalidArgument);
  nameless.profile.clear_names();
  Must(WriteDraft(profile, nameless));
  NewCase alone = Form();
  alone.supervisor.clear();
  EXPECT_EQ(WriteDraft(profile, alone).error().code(), Code::kInvalidArgument);
  // A supervisor whom nobody knows keeps the draft until another is named.
  alone.supervisor = "nobody";
  const DraftId draft = Must(WriteDraft(profile, alone));
  EXPECT_EQ(TakeDraftIn(profile, Of("cw01"), draft).error().code(), Code::kInvalidArgument);
  Must(TakeDraftIn(profile, Of("cw01"), draft, "sv1"));
}

TEST_F(Drafts, AChangedKeyIsSaidAndPutBackAndSealsNothingOfOthers) {
  const Profile profile = ProfileOf("cw01");
  EXPECT_FALSE(Must(KeepDraftKey(profile, IdentityOf("cw01"))));
  const std::string right = Read(profile.DraftKeyPath());
  // Damaged, or of another realm: refused.
  std::string damaged = right;
  damaged[50] = static_cast<char>(damaged[50] ^ 1);
  Write(profile.DraftKeyPath(), damaged);
  EXPECT_EQ(WriteDraft(profile, Form()).error().code(), Code::kKeyMismatch);
  EXPECT_TRUE(Must(KeepDraftKey(profile, IdentityOf("cw01"))));
  EXPECT_EQ(Read(profile.DraftKeyPath()), right);
  Profile other = Must(Profile::Create("other"));
  Must(KeepDraftKey(other, organisation_.RealmOf("cw01", Compartment::kCases)));
  Write(profile.DraftKeyPath(), Read(other.DraftKeyPath()));
  EXPECT_EQ(WriteDraft(profile, Form()).error().code(), Code::kKeyMismatch);
  std::filesystem::remove(profile.DraftKeyPath());
  EXPECT_EQ(WriteDraft(profile, Form()).error().code(), Code::kNotFound);
  EXPECT_FALSE(Must(KeepDraftKey(profile, IdentityOf("cw01")))) << "none there is no change";

  // A whole one of somebody else's is taken while locked, as there is nothing to judge it by; the
  // next unlock says so, and what was sealed to it does not open.
  ProfileOf("cw02");
  Write(profile.DraftKeyPath(), Read(ProfileOf("cw02").DraftKeyPath()));
  const DraftId lost = Must(WriteDraft(profile, Form()));
  EXPECT_TRUE(Must(KeepDraftKey(profile, IdentityOf("cw01"))));
  EXPECT_EQ(Read(profile.DraftKeyPath()), right);
  EXPECT_EQ(TakeDraftIn(profile, Of("cw01"), lost).error().code(), Code::kPermissionDenied);
  Must(TakeDraftIn(profile, Of("cw01"), Must(WriteDraft(profile, Form()))));
}

TEST_F(Drafts, OpenAfterTheKeyWasRotated) {
  const Profile profile = ProfileOf("cw01");
  const DraftId draft = Must(WriteDraft(profile, Form()));
  Require(IdentityOf("cw01").RotatePuk());
  const std::string before = Read(profile.DraftKeyPath());
  EXPECT_FALSE(Must(KeepDraftKey(profile, IdentityOf("cw01"))));
  EXPECT_NE(Read(profile.DraftKeyPath()), before);
  // A crash between the note of the new key and its file leaves the old one: no change by others.
  Write(profile.DraftKeyPath(), before);
  EXPECT_FALSE(Must(KeepDraftKey(profile, IdentityOf("cw01"))));
  Must(TakeDraftIn(profile, Of("cw01"), draft));
  Must(TakeDraftIn(profile, Of("cw01"), Must(WriteDraft(profile, Form("하나")))));
}

}  // namespace
}  // namespace godwit::client
