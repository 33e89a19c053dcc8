#include "tests/e2e/attack_fixture.h"

#include "base/clock.h"
#include "client/evidence.h"
#include "crypto/random.h"
#include "protocol/record.h"

namespace godwit::client {

using protocol::Compartment;
using protocol::Kind;

struct Attack::World {
  World() : liar(servers.cases), organisation(servers, {{Compartment::kCases, liar.address()}}) {
    organisation.Join(support::Staff(2, 1, 2, 0, 0));
  }

  support::RealmServers servers;
  support::LyingServer liar;
  support::TestOrganisation organisation;
};

Attack::World* Attack::world_ = nullptr;

std::string Print(const Outcome& outcome) {
  return outcome ? std::string(base::Name(*outcome)) : "well";
}

Outcome OutcomeOf(const base::Status& status) {
  return status ? kWell : Outcome(status.error().code());
}

void Attack::SetUpTestSuite() { world_ = new World; }

void Attack::TearDownTestSuite() {
  delete world_;
  world_ = nullptr;
}

void Attack::TearDown() { liar().BeHonest(); }

support::LyingServer& Attack::liar() { return world_->liar; }

support::TestOrganisation& Attack::organisation() { return world_->organisation; }

Realm& Attack::Of(const std::string& handle) {
  return world_->organisation.RealmOf(handle, Compartment::kCases);
}

std::string Attack::NameOf(Memory memory) {
  return memory == Memory::kFresh ? "fresh device" : "known device";
}

std::unique_ptr<Realm> Attack::FreshDevice(const std::string& handle) {
  return world_->organisation.RealmWithEmptyStore(handle, Compartment::kCases);
}

std::vector<Edit> Attack::Notes(const std::vector<std::string>& texts) {
  std::vector<Edit> edits;
  for (const std::string& text : texts) {
    Edit edit;
    edit.record = crypto::RandomId<base::RecordId>();
    edit.content.mutable_comment()->set_text(text);
    edits.push_back(std::move(edit));
  }
  return edits;
}

base::VaultId Attack::MakeCase() {
  Realm& author = Of("cw01");
  Require(author.Sync());
  const auto made = Must(CreateVault(author, Kind::kCase,
                                     {{author.member(), protocol::kFull},
                                      {Of("sv1").member(), protocol::kReadWrite},
                                      {Of("kc1").member(), protocol::kFull}},
                                     [](const base::VaultId& id) {
                                       auto edits = Notes({"the first note", "the second note"});
                                       Edit summary;
                                       summary.record = protocol::PinnedRecordOf(id);
                                       summary.content.mutable_summary()->set_code("invented");
                                       edits.insert(edits.begin(), std::move(summary));
                                       return base::Result<std::vector<Edit>>(std::move(edits));
                                     }));
  Must(WriteVault(author, made.id(), [](VaultView& vault) -> base::Result<std::vector<Edit>> {
    for (const auto& record : vault.LiveRecords()) {
      auto content = Must(vault.Read(record));
      if (content.comment().text() != "the first note") continue;
      content.mutable_comment()->set_text("the first note, corrected");
      return std::vector<Edit>{{record, std::move(content), 0}};
    }
    return std::vector<Edit>();
  }));
  return made.id();
}

Outcome Attack::ReadAll(Realm& device, const base::VaultId& id) {
  if (const auto synced = device.Sync(); !synced) return synced.error().code();
  auto vault = VaultView::Fetch(device, id);
  if (!vault) return vault.error().code();
  if (vault->LiveRecords().size() < 3) return Code::kInternal;
  for (const auto& record : vault->LiveRecords()) {
    if (const auto read = vault->Read(record); !read) return read.error().code();
  }
  return kWell;
}

Outcome Attack::WriteNote(Realm& device, const base::VaultId& id) {
  const auto written = WriteVault(device, id, [](VaultView&) {
    return base::Result<std::vector<Edit>>(Notes({"one more note"}));
  });
  return written ? kWell : Outcome(written.error().code());
}

void Attack::ExpectVaultLies(const base::VaultId& vault, const std::vector<VaultLie>& lies) {
  for (const VaultLie& lie : lies) {
    for (const Memory memory : kBoth) {
      SCOPED_TRACE(lie.name + ", " + NameOf(memory));
      const Outcome want = memory == Memory::kFresh ? lie.fresh : lie.known;
      const auto device = FreshDevice("kc1");
      const auto honest_reader = FreshDevice("kc1");
      EXPECT_OUTCOME(ReadAll(memory == Memory::kKnown ? *device : *honest_reader, vault), kWell);
      Must(WriteVault(Of("cw01"), vault, [](VaultView&) {
        return base::Result<std::vector<Edit>>(Notes({"news", "more news"}));
      }));

      const auto rewrite = lie.make();
      liar().RewriteReply(
          [&](const wire::FetchVaultRequest& request, wire::FetchVaultResponse& reply) {
            if (request.vault() == Text(vault.bytes())) rewrite(request.from_seq(), reply);
          });
      liar().ForgetCalls();
      EXPECT_OUTCOME(ReadAll(*device, vault), want);
      const auto remembered = Must(device->store().Remembered(vault));
      const bool frozen = remembered && remembered->frozen;
      const bool forked = want == Code::kFork || want == Code::kRollback;
      EXPECT_EQ(frozen, forked && remembered);
      // What is withheld is no error of the vault: the next writer writes on.
      if (want && want != Code::kNotFound) {
        EXPECT_OUTCOME(WriteNote(*device, vault), frozen ? Outcome(Code::kFork) : want);
        EXPECT_EQ(Uploads(), 0u);
        EXPECT_EQ(Judged(*device).empty(), want == Code::kUnsupported);
      }

      liar().BeHonest();
      EXPECT_OUTCOME(ReadAll(*device, vault), frozen ? Outcome(Code::kFork) : kWell);
    }
  }
  // Nothing of it reached anybody else.
  EXPECT_OUTCOME(ReadAll(Of("cw01"), vault), kWell);
  const auto device = FreshDevice("kc1");
  EXPECT_OUTCOME(WriteNote(*device, vault), kWell);
}

void Attack::ExpectRosterLies(const std::vector<RosterLie>& lies) {
  const auto vault = MakeCase();
  Realm& owner = Of("founder");
  for (const RosterLie& lie : lies) {
    for (const Memory memory : kBoth) {
      SCOPED_TRACE(lie.name + ", " + NameOf(memory));
      const Outcome want = memory == Memory::kFresh ? lie.fresh : lie.known;
      const auto device = FreshDevice("kc1");
      if (memory == Memory::kKnown) {
        EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
      }
      const auto before = device->roster().size();
      Require(owner.Sync());
      for (int i = 0; i < 2; ++i) {
        auto policy = owner.roster().policy();
        ++policy.gen;
        Must(owner.Author(protocol::PolicySet{policy}));
      }

      const auto rewrite = lie.make();
      liar().RewriteReply(
          [&](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
            rewrite(request.from_seq(), reply);
          });
      liar().ForgetCalls();
      EXPECT_OUTCOME(OutcomeOf(device->Sync()), want);
      if (want) {
        // Of a reply that is refused nothing is taken, and nobody is sealed to by it.
        EXPECT_EQ(device->roster().size(), before);
        EXPECT_OUTCOME(WriteNote(*device, vault), want);
        EXPECT_EQ(Uploads(), 0u);
        const bool shows = want != Code::kUnsupported && want != Code::kPermissionDenied;
        EXPECT_EQ(Judged(*device).empty(), !shows);
      }

      liar().BeHonest();
      EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
      EXPECT_OUTCOME(WriteNote(*device, vault), kWell);
    }
  }
}

std::vector<Bytes> Attack::EvidenceFiles(Realm& device) {
  std::vector<Bytes> files;
  for (const EvidenceItem& item : Must(device.store().KeptEvidence())) {
    files.push_back(protocol::WriteEvidence(Must(EvidenceOf(device.store(), item))));
  }
  return files;
}

std::vector<protocol::Judgement> Attack::Judged(Realm& device) {
  std::vector<protocol::Judgement> judgements;
  for (const Bytes& file : EvidenceFiles(device)) {
    const auto evidence = Must(protocol::ReadEvidence(file));
    const auto judged = protocol::JudgeEvidence(evidence);
    EXPECT_TRUE(judged) << protocol::Name(evidence.claim) << ": " << judged.error().message();
    if (judged) judgements.push_back(*judged);
  }
  return judgements;
}

void Attack::ExpectRefused(const base::VaultId& vault, Realm& known, const Bytes& entry,
                           Code want) {
  const auto fresh = FreshDevice("kc1");
  liar().RewriteReply([&](const wire::FetchVaultRequest& request, wire::FetchVaultResponse& reply) {
    if (request.vault() == Text(vault.bytes())) reply.add_entries(Text(entry));
  });
  liar().ForgetCalls();
  for (Realm* device : {fresh.get(), &known}) {
    EXPECT_OUTCOME(ReadAll(*device, vault), want);
    EXPECT_OUTCOME(WriteNote(*device, vault), want);
    EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
  }
  EXPECT_EQ(Uploads(), 0u);
  liar().BeHonest();
  for (Realm* device : {fresh.get(), &known}) EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
}

std::size_t Attack::Uploads() {
  return liar().CallsOf("AppendEntries") + liar().CallsOf("AppendStatements");
}

Bytes Attack::NextEntry(Realm& author, const protocol::Vault& vault,
                        const protocol::EntryPayload& payload, const HeaderChange& change) {
  protocol::EntryHeader header = author.EntryHeaderNow();
  header.vault = vault.id();
  header.seq = vault.size();
  header.prev = vault.head();
  header.epoch_link = vault.epoch().link;
  header.pin_link = vault.pin_link();
  if (change) change(header);
  return protocol::SignEntry(header, payload, author.device().signing_key());
}

protocol::SealedRecord Attack::Seal(Realm& author, const protocol::Vault& vault,
                                    const base::RecordId& record, const protocol::Vek& vek) {
  const auto* known = vault.FindRecord(record);
  protocol::RecordPlace place;
  place.realm = author.id();
  place.vault = vault.id();
  place.record = record;
  place.rver = (known == nullptr ? 0 : known->rver) + 1;
  if (known != nullptr) place.rprev = known->link;
  place.epoch = vault.epoch().number;
  place.author_member = author.member();
  place.author_device = author.device().id();
  content::v1::Record planted;
  planted.mutable_comment()->set_text("planted");
  return Must(protocol::SealRecord(
      vek, place, SerializeRecord(planted).Expose(),
      protocol::RecordFloor(Compartment::kCases, vault.kind(), record == vault.pinned_record())));
}

Bytes Attack::NextStatement(Realm& author, const protocol::StatementPayload& payload,
                            const StatementChange& change) {
  protocol::StatementHeader header;
  header.realm = author.id();
  header.seq = author.roster().size();
  header.prev = author.roster().head();
  header.author_member = author.member();
  header.author_device = author.device().id();
  header.time_ms = base::SystemClock().NowMs();
  if (change) change(header);
  return protocol::SignStatement(header, payload, author.device().signing_key());
}

}  // namespace godwit::client
