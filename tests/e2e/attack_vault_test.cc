// A server that lies about a vault: its chain, its boxes, its records.
#include <algorithm>
#include <set>

#include "crypto/box.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "protocol/labels.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::EntryHeader;
using protocol::Epoch;
using protocol::Vek;

using Reply = wire::FetchVaultResponse;
using Rewrite = std::function<void(std::uint64_t, Reply&)>;

// Lies that are always the same.
std::function<Rewrite()> Always(Rewrite rewrite) {
  return [rewrite] { return rewrite; };
}

Rewrite Append(const Bytes& entry) {
  return [entry](std::uint64_t, Reply& reply) { reply.add_entries(Text(entry)); };
}

// Serves these bytes beside whatever is there, as the newest of the record.
Rewrite Serve(const base::RecordId& record, std::uint64_t rver, const Bytes& salt,
              const Bytes& ciphertext) {
  return [=](std::uint64_t, Reply& reply) {
    auto& content = *reply.add_records();
    content.set_record(Text(record.bytes()));
    content.set_rver(rver);
    content.set_salt(Text(salt));
    content.set_ciphertext(Text(ciphertext));
  };
}
Rewrite Serve(const RecordBlob& place, const RecordBlob& blob) {
  return Serve(place.record, place.rver, blob.salt, blob.ciphertext);
}

Rewrite Both(Rewrite first, Rewrite second) {
  return [=](std::uint64_t from, Reply& reply) {
    first(from, reply);
    second(from, reply);
  };
}

Vek ZeroKey() { return Must(Vek::Copy(std::array<std::uint8_t, 32>{})); }

TEST_F(Attack, Row3_NoRecordIsPlantedByTheServer) {
  const auto vault = MakeCase();
  const auto servers_key = Must(crypto::SigningKey::FromSeed(support::RandomKey()));
  Require(Of("cw02").Sync());
  // A new record with its ciphertext, sealed under `vek`; signed by the author's device, or by the
  // server in the author's name.
  const auto plant = [&](Realm& author, const Vek& vek, bool by_server) -> Rewrite {
    const Truth truth(Of("cw01"), vault);
    const auto record = crypto::RandomId<base::RecordId>();
    const auto sealed = Seal(author, truth.state(), record, vek);
    Bytes entry = NextEntry(author, truth.state(), sealed.rev);
    if (by_server) {
      entry = protocol::SignEntry(Must(protocol::ReadEntry(entry)).header, sealed.rev, servers_key);
    }
    return Both(Append(entry), Serve(record, 1, sealed.salt, sealed.ciphertext));
  };
  const auto replace = [&](const Vek& vek) -> Rewrite {
    const Truth truth(Of("cw01"), vault);
    const auto& place = truth.records().front();
    const auto sealed = Seal(Of("cw01"), truth.state(), place.record, vek);
    return Serve(place.record, place.rver, sealed.salt, sealed.ciphertext);
  };
  const Vek zero = ZeroKey();
  const Vek random = Must(Vek::Random());
  const Vek stolen = Must(Vek::Copy(Truth(Of("cw01"), vault).key().Expose()));
  ExpectVaultLies(
      vault, {{"by the server, zero key", [&] { return plant(Of("cw01"), zero, true); }, Code::kSig,
               Code::kSig},
              {"by the server, random key", [&] { return plant(Of("cw01"), random, true); },
               Code::kSig, Code::kSig},
              {"by the server, the vault's key", [&] { return plant(Of("cw01"), stolen, true); },
               Code::kSig, Code::kSig},
              {"by a colleague outside the vault", [&] { return plant(Of("cw02"), stolen, false); },
               Code::kEntryInvalid, Code::kEntryInvalid},
              {"in another's place, zero key", [&] { return replace(zero); }, Code::kDecrypt,
               Code::kDecrypt},
              {"in another's place, the vault's key", [&] { return replace(stolen); },
               Code::kDecrypt, Code::kDecrypt}});
}

TEST_F(Attack, Row1_NoAlteredBoxOpensAndAllLookAlike) {
  const auto vault = MakeCase();
  EXPECT_OUTCOME(ReadAll(*FreshDevice("kc1"), vault), kWell);
  const auto device = FreshDevice("kc1");
  Require(device->Sync());
  std::set<std::string> messages;
  std::set<std::size_t> calls;
  std::size_t size = 1;
  for (std::size_t at = 0; at < size; ++at) {
    liar().BeHonest();
    liar().RewriteReply([&](const wire::FetchVaultRequest&, Reply& reply) {
      auto& box = *reply.mutable_boxes(0)->mutable_box();
      size = box.size();
      box[at] = static_cast<char>(box[at] ^ 1);
    });
    liar().ForgetCalls();
    const auto fetched = VaultView::Fetch(*device, vault);
    ASSERT_FALSE(fetched);
    EXPECT_OUTCOME(fetched.error().code(), Code::kKeyMismatch);
    messages.insert(std::string(fetched.error().message()));
    calls.insert(liar().calls().size());
  }
  EXPECT_GE(size, 64u);
  EXPECT_EQ(messages.size(), 1u);
  EXPECT_EQ(calls, std::set<std::size_t>{1});
  liar().BeHonest();
  EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
}

TEST_F(Attack, Row4_EveryRecordThatDoesNotOpenLooksAlike) {
  const auto vault = MakeCase();
  const Truth truth(Of("cw01"), vault);
  const auto& other = truth.records().back();
  const struct {
    const char* name;
    std::function<void(wire::RecordContent&)> change;
  } rows[] = {
      {"salt", [](auto& c) { (*c.mutable_salt())[0] ^= 1; }},
      {"no salt", [](auto& c) { c.clear_salt(); }},
      {"first byte", [](auto& c) { (*c.mutable_ciphertext())[0] ^= 1; }},
      {"last byte", [](auto& c) { c.mutable_ciphertext()->back() ^= 1; }},
      {"cut", [](auto& c) { c.mutable_ciphertext()->pop_back(); }},
      {"longer", [](auto& c) { c.mutable_ciphertext()->push_back('x'); }},
      {"none", [](auto& c) { c.clear_ciphertext(); }},
      {"of another record",
       [&](auto& c) {
         c.set_salt(Text(other.salt));
         c.set_ciphertext(Text(other.ciphertext));
       }},
  };
  std::set<std::string> seen;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto device = FreshDevice("kc1");
    Require(device->Sync());
    liar().RewriteReply([&](const wire::FetchVaultRequest&, Reply& reply) {
      row.change(*reply.mutable_records(0));
    });
    liar().ForgetCalls();
    const auto fetched = VaultView::Fetch(*device, vault);
    ASSERT_FALSE(fetched);
    EXPECT_OUTCOME(fetched.error().code(), Code::kDecrypt);
    std::string what(fetched.error().message());
    for (const auto& call : liar().calls()) what += "|" + call.method + call.request;
    seen.insert(what);
    liar().BeHonest();
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(Attack, Row7_NoBoxesAndEmptyKeysAreRefused) {
  const auto vault = MakeCase();
  const auto boxes = [](std::function<void(wire::EpochBox&)> change) {
    return Always([=](std::uint64_t, Reply& reply) {
      for (auto& box : *reply.mutable_boxes()) change(box);
    });
  };
  ExpectVaultLies(
      vault,
      {{"no boxes", Always([](std::uint64_t, Reply& reply) { reply.clear_boxes(); }),
        Code::kNotFound, kWell},
       {"empty boxes", boxes([](auto& box) { box.clear_box(); }), Code::kKeyMismatch,
        Code::kKeyMismatch},
       {"boxes of zeros", boxes([](auto& box) { box.set_box(std::string(box.box().size(), 0)); }),
        Code::kKeyMismatch, Code::kKeyMismatch},
       {"short boxes", boxes([](auto& box) { box.mutable_box()->pop_back(); }), Code::kKeyMismatch,
        Code::kKeyMismatch},
       {"boxes of epoch 0", boxes([](auto& box) { box.set_epoch(0); }), Code::kNotFound, kWell},
       {"boxes of an epoch that is not there", boxes([](auto& box) { box.set_epoch(9); }),
        Code::kNotFound, kWell}});
  // A key that is withheld makes nobody rekey: that EPOCH would hand on nothing of what was before.
  const auto device = FreshDevice("kc1");
  liar().RewriteReply([](const wire::FetchVaultRequest&, Reply& reply) { reply.clear_boxes(); });
  liar().ForgetCalls();
  EXPECT_OUTCOME(WriteNote(*device, vault), Code::kNotFound);
  EXPECT_EQ(Uploads(), 0u);
  liar().BeHonest();
  EXPECT_OUTCOME(WriteNote(*device, vault), kWell);
}

TEST_F(Attack, Row8_AKeyOfTheServersOwnIsRefused) {
  const auto vault = MakeCase();
  const Vek own = Must(Vek::Random());
  // In every respect a box of this epoch for this member, but for the key in it.
  const auto box = [&]() -> Rewrite {
    const Truth truth(Of("cw01"), vault);
    const auto& roster = Of("cw01").roster();
    const auto member = Of("kc1").member();
    const auto* puk = roster.PukAt(member, roster.head_seq());
    const Bytes sealed = Must(crypto::SealBox(
        crypto::DefaultHpke(), puk->kems.at(protocol::kAlgX25519), protocol::labels::kVekBox,
        protocol::VekBoxContext(roster.realm(), vault, 1, member, puk->gen), own));
    return [=](std::uint64_t, Reply& reply) {
      reply.clear_boxes();
      auto& row = *reply.add_boxes();
      row.set_epoch(1);
      row.set_box(Text(sealed));
    };
  };
  // With it a record that this key opens, in the place of one that is there.
  const auto box_and_record = [&]() -> Rewrite {
    const Truth truth(Of("cw01"), vault);
    const auto& place = truth.records().front();
    const auto sealed = Seal(Of("cw01"), truth.state(), place.record, own);
    return Both(box(), Serve(place.record, place.rver, sealed.salt, sealed.ciphertext));
  };
  ExpectVaultLies(vault, {{"a box", box, Code::kKeyMismatch, Code::kKeyMismatch},
                          {"a box and a record", box_and_record, Code::kDecrypt, Code::kDecrypt}});
}

TEST_F(Attack, Row12_NoBlobIsTakenInAnotherPlace) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  const Truth before(Of("cw01"), vault);
  const auto other = Truth(Of("cw01"), other_vault).records().front();
  const auto serve = [&](auto choose) {
    return [&, choose] { return choose(Truth(Of("cw01"), vault)); };
  };
  const auto contents = [](std::function<void(wire::RecordContent&)> change) {
    return Always([=](std::uint64_t, Reply& reply) {
      for (auto& content : *reply.mutable_records()) change(content);
    });
  };
  // What the first note said before it was corrected.
  const auto rewritten = std::ranges::find(before.records(), 2u, &RecordBlob::rver)->record;
  ExpectVaultLies(
      vault,
      {{"of another record",
        serve([](const Truth& t) { return Serve(t.records()[0], t.records()[1]); }), Code::kDecrypt,
        Code::kDecrypt},
       {"of another vault", serve([&](const Truth& t) { return Serve(t.records()[0], other); }),
        Code::kDecrypt, Code::kDecrypt},
       {"of another vault, as a record of its own", Always(Serve(other, other)), kWell, kWell},
       {"in the place of a newer revision",
        serve([&](const Truth&) { return Serve(rewritten, 2, other.salt, other.ciphertext); }),
        Code::kDecrypt, Code::kDecrypt},
       {"said to be a newer revision",
        contents([](auto& content) { content.set_rver(content.rver() + 1); }), Code::kNotFound,
        Code::kNotFound},
       {"said to be an older revision",
        contents([](auto& content) { content.set_rver(content.rver() - 1); }), Code::kNotFound,
        Code::kNotFound},
       {"said to be another record",
        contents([&](auto& content) { content.set_record(Text(other.record.bytes())); }),
        Code::kNotFound, Code::kNotFound},
       {"withheld", Always([](std::uint64_t, Reply& reply) { reply.clear_records(); }),
        Code::kNotFound, Code::kNotFound}});
}

TEST_F(Attack, Row17_NoClientTakesAnOldEntryAgain) {
  const auto vault = MakeCase();
  std::vector<VaultLie> lies;
  for (std::size_t i = 0; i < Truth(Of("cw01"), vault).entries().size(); ++i) {
    lies.push_back({"entry " + std::to_string(i),
                    [&, i] { return Append(Truth(Of("cw01"), vault).entries()[i]); }, Code::kFork,
                    Code::kFork});
  }
  ExpectVaultLies(vault, lies);
}

TEST_F(Attack, Row20_NoIdOfAnotherKindIsARecords) {
  const auto vault = MakeCase();
  const auto named = [](const std::string& id) {
    return Always([id](std::uint64_t, Reply& reply) {
      for (auto& content : *reply.mutable_records()) content.set_record(id);
    });
  };
  ExpectVaultLies(
      vault,
      {{"the vault's", named(Text(vault.bytes())), Code::kNotFound, Code::kNotFound},
       {"a member's", named(Text(Of("cw01").member().bytes())), Code::kNotFound, Code::kNotFound},
       {"a device's", named(Text(Of("cw01").device().id().bytes())), Code::kNotFound,
        Code::kNotFound}});
  // An id of another length is none, and the reply is no reply.
  liar().RewriteReply([&](const wire::FetchVaultRequest&, Reply& reply) {
    reply.mutable_records(0)->mutable_record()->push_back('x');
  });
  EXPECT_OUTCOME(ReadAll(*FreshDevice("kc1"), vault), Code::kInternal);
}

TEST_F(Attack, Row24_EntriesKeepTheirOrderTheirNumberAndTheirVault) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  const Bytes foreign = Truth(Of("cw01"), other_vault).entries().back();
  const auto last = [](Reply& reply) { return reply.entries_size() - 1; };
  ExpectVaultLies(
      vault,
      {{"the last two change places", Always([=](std::uint64_t, Reply& reply) {
          reply.mutable_entries()->SwapElements(last(reply), last(reply) - 1);
        }),
        Code::kFork, Code::kFork},
       {"one is left out", Always([=](std::uint64_t, Reply& reply) {
          reply.mutable_entries()->DeleteSubrange(last(reply) - 1, 1);
        }),
        Code::kFork, Code::kFork},
       {"one comes twice",
        Always([=](std::uint64_t, Reply& reply) { reply.add_entries(reply.entries(last(reply))); }),
        Code::kFork, Code::kFork},
       {"one of another vault", Always(Append(foreign)), Code::kFork, Code::kFork},
       // Of a chain without its beginning a fresh device keeps nothing.
       {"the first is left out",
        Always([](std::uint64_t, Reply& reply) { reply.mutable_entries()->DeleteSubrange(0, 1); }),
        Code::kFork, Code::kFork},
       {"the chain of another vault",
        [&] {
          const auto entries = Truth(Of("cw01"), other_vault).entries();
          return Rewrite([entries](std::uint64_t, Reply& reply) {
            reply.clear_entries();
            for (const auto& entry : entries) reply.add_entries(Text(entry));
          });
        },
        Code::kEntryInvalid, Code::kFork}});
}

// R7: what a device has seen it sees again, or freezes the vault.
TEST_F(Attack, Row31_AKnownDeviceNoticesRollbackAndForkOfAVault) {
  const auto vault = MakeCase();
  ExpectVaultLies(vault, {{"nothing is left", Always([](std::uint64_t, Reply& reply) {
                             reply.clear_entries();
                             reply.clear_records();
                           }),
                           Code::kNotFound, Code::kRollback},
                          {"the entry that is known is another",
                           [&] {
                             const Truth truth(Of("cw01"), vault);
                             const auto sealed =
                                 Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(),
                                      ZeroKey());
                             const Bytes sibling = NextEntry(Of("cw01"), truth.state(), sealed.rev);
                             return Rewrite([sibling](std::uint64_t, Reply& reply) {
                               reply.set_entries(0, Text(sibling));
                             });
                           },
                           Code::kFork, Code::kFork}});

  // Whoever was shown another branch first notices when the branches meet.
  const auto device = FreshDevice("kc1");
  const Truth truth(Of("cw01"), vault);
  const auto record = crypto::RandomId<base::RecordId>();
  Truth key(Of("cw01"), vault);
  const auto sealed = Seal(Of("cw01"), truth.state(), record, key.key());
  const Bytes branch = NextEntry(Of("cw01"), truth.state(), sealed.rev);
  const auto lie = Both(Append(branch), Serve(record, 1, sealed.salt, sealed.ciphertext));
  liar().RewriteReply([&](const wire::FetchVaultRequest& request, Reply& reply) {
    lie(request.from_seq(), reply);
  });
  EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
  liar().BeHonest();
  EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
  liar().ForgetCalls();
  EXPECT_OUTCOME(ReadAll(*device, vault), Code::kFork);
  EXPECT_OUTCOME(WriteNote(*device, vault), Code::kFork);
  EXPECT_EQ(Uploads(), 0u);
  // Both branches are kept.
  const auto evidence = Must(device->store().KeptEvidence());
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].piece.exhibits,
            (std::vector{branch, Truth(Of("cw01"), vault).entries()[truth.entries().size()]}));
  ASSERT_EQ(Judged(*device).size(), 1u);
  EXPECT_EQ(Judged(*device)[0].claim, protocol::Claim::kTwoEntries);
}

TEST_F(Attack, Row29_NoBadLinkJoinsAVaultsChain) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  // A record's revision by cw01, who may write it, signed after a change.
  const auto link = [&](HeaderChange change) {
    return [&, change]() -> Rewrite {
      const Truth truth(Of("cw01"), vault);
      Truth key(Of("cw01"), vault);
      const auto record = crypto::RandomId<base::RecordId>();
      const auto sealed = Seal(Of("cw01"), truth.state(), record, key.key());
      return Append(NextEntry(Of("cw01"), truth.state(), sealed.rev, change));
    };
  };
  const auto raw = [&](std::uint8_t type, const Bytes& payload) {
    return [&, type, payload]() -> Rewrite {
      const Truth truth(Of("cw01"), vault);
      auto entry = NextEntry(Of("cw01"), truth.state(), protocol::Create{});
      auto header = Must(protocol::ReadEntry(entry)).header;
      header.type = type;
      return Append(support::SignRaw(header, payload, Of("cw01").device().signing_key()));
    };
  };
  const Outcome invalid = Code::kEntryInvalid;
  ExpectVaultLies(
      vault,
      {{"seq", link([](EntryHeader& h) { ++h.seq; }), invalid, invalid},
       {"prev", link([](EntryHeader& h) { h.prev = {}; }), Code::kFork, Code::kFork},
       {"realm", link([](EntryHeader& h) { h.realm = {}; }), invalid, invalid},
       {"vault", link([&](EntryHeader& h) { h.vault = other_vault; }), invalid, invalid},
       {"author", link([](EntryHeader& h) { h.author_member = Of("sv1").member(); }), invalid,
        invalid},
       {"device", link([](EntryHeader& h) { h.author_device = Of("sv1").device().id(); }),
        Code::kSig, Code::kSig},
       {"roster_seq", link([](EntryHeader& h) { h.roster_seq = 0; }), Code::kSig, Code::kSig},
       {"roster_head", link([](EntryHeader& h) { h.roster_head = h.prev; }), Code::kFork,
        Code::kFork},
       {"epoch_link", link([](EntryHeader& h) { h.epoch_link = h.prev; }), invalid, invalid},
       {"pin_link", link([](EntryHeader& h) { h.pin_link = h.prev; }), invalid, invalid},
       {"a second CREATE", raw(1, Bytes(17, 9)), invalid, invalid},
       {"a payload that is none", raw(3, Bytes(17, 9)), Code::kSig, Code::kSig},
       {"unknown type", raw(200, Bytes(17, 9)), Code::kUnsupported, Code::kUnsupported},
       {"unknown version", link([](EntryHeader& h) { h.ver = 9; }), Code::kUnsupported,
        Code::kUnsupported}});
}

TEST_F(Attack, Row10_NoEntryBelowThePolicysSuiteIsTaken) {
  const auto vault = MakeCase();
  const auto link = [&](std::uint16_t suite) {
    return [&, suite]() -> Rewrite {
      Truth truth(Of("cw01"), vault);
      const auto sealed =
          Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(), truth.key());
      return Append(NextEntry(Of("cw01"), truth.state(), sealed.rev,
                              [suite](EntryHeader& h) { h.suite = suite; }));
    };
  };
  ExpectVaultLies(vault, {{"suite 0", link(0), Code::kDowngrade, Code::kDowngrade},
                          {"unknown suite", link(9), Code::kUnsupported, Code::kUnsupported}});
}

TEST_F(Attack, Row6_NoEpochListsWhomTheRosterOrItsManagersDoNot) {
  const auto vault = MakeCase();
  Require(Of("cw02").Sync());
  Require(Of("sv1").Sync());
  const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  using Change = std::function<void(protocol::MemberList&)>;
  const auto epoch = [&](Realm& author, const Change& change,
                         const std::function<void(Epoch&)>& after = {}) {
    return [&author, change, after, vault]() -> Rewrite {
      Require(author.Sync());
      const Truth truth(Of("cw01"), vault);
      protocol::MemberList list = truth.list();
      change(list);
      const auto& roster = author.roster();
      auto made =
          Must(protocol::MakeEpoch(Must(Vek::Random()), vault, truth.state().epoch().number + 1,
                                   list, {}, roster, roster.head_seq()));
      if (after) after(made.payload);
      const Bytes box =
          made.boxes.contains(Of("kc1").member()) ? made.boxes.at(Of("kc1").member()) : Bytes();
      return Both(Append(NextEntry(author, truth.state(), made.payload)),
                  [=](std::uint64_t, Reply& reply) {
                    auto& row = *reply.add_boxes();
                    row.set_epoch(2);
                    row.set_box(Text(box));
                  });
    };
  };
  const auto cw02 = Of("cw02").member();
  const auto add = [&](protocol::MemberList& list) { list[cw02] = {protocol::kReadWrite, 1}; };
  const auto stranger = base::MemberId(std::array<std::uint8_t, 16>{7});
  const Outcome invalid = Code::kEntryInvalid;
  ExpectVaultLies(
      vault,
      {{"another member, by a writer who is no manager", epoch(Of("sv1"), add), invalid, invalid},
       {"another member, by the member", epoch(Of("cw02"), add), invalid, invalid},
       {"a stranger, by a manager",
        epoch(
            Of("cw01"), [](auto&) {},
            [=](Epoch& e) {
              e.list[stranger] = {protocol::kReadWrite, 1, {}};
            }),
        invalid, invalid},
       {"another gen, by a manager",
        epoch(
            Of("cw01"), [](auto&) {}, [](Epoch& e) { ++e.list.begin()->second.puk_gen; }),
        invalid, invalid},
       {"more rights for oneself",
        epoch(Of("sv1"), [](auto& list) { list[Of("sv1").member()].perm = protocol::kFull; }),
        invalid, invalid}});
}

TEST_F(Attack, Row53_AServerAndAManagerHideNoVaultFromItsGuards) {
  const auto vault = MakeCase();
  const auto epoch = [&](std::function<void(protocol::MemberList&)> change) {
    return [=]() -> Rewrite {
      const Truth truth(Of("cw01"), vault);
      protocol::MemberList list = truth.list();
      change(list);
      const auto& roster = Of("cw01").roster();
      const auto made =
          Must(protocol::MakeEpoch(Must(Vek::Random()), vault, truth.state().epoch().number + 1,
                                   list, {}, roster, roster.head_seq()));
      return Append(NextEntry(Of("cw01"), truth.state(), made.payload));
    };
  };
  ExpectVaultLies(
      vault,
      {{"stripped", epoch([](auto& list) { list.erase(Of("kc1").member()); }), Code::kEntryInvalid,
        Code::kEntryInvalid},
       {"lowered", epoch([](auto& list) { list[Of("kc1").member()].perm = protocol::kRead; }),
        Code::kEntryInvalid, Code::kEntryInvalid}});
}

// A newcomer reads what was before through wraps alone.
TEST_F(Attack, Row22_NoWrapOfAnotherKeyIsUsed) {
  const auto vault = MakeCase();
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  Must(WriteVault(Of("cw01"), vault, {}, [](const protocol::MemberList& list) {
    std::map<base::MemberId, protocol::Perm> members;
    for (const auto& [member, row] : list) members[member] = row.perm;
    members[Of("kc2").member()] = protocol::kFull;
    return members;
  }));
  const auto is_epoch_2 = [](const std::string& bytes) {
    const Bytes entry = BytesOf(bytes);
    const auto raw = protocol::ReadEntry(entry);
    if (!raw) return false;
    const auto payload = protocol::ReadEntryPayload(raw->header.type, raw->payload);
    const auto* epoch = payload ? std::get_if<Epoch>(&*payload) : nullptr;
    return epoch != nullptr && epoch->epoch == 2;
  };
  const auto rewrite = [&](Realm& signer) {
    return [&](const wire::FetchVaultRequest&, Reply& reply) {
      for (auto& text : *reply.mutable_entries()) {
        if (!is_epoch_2(text)) continue;
        const Bytes bytes = BytesOf(text);
        const auto raw = Must(protocol::ReadEntry(bytes));
        auto epoch =
            std::get<Epoch>(Must(protocol::ReadEntryPayload(raw.header.type, raw.payload)));
        epoch.wraps.at(1).fill(7);
        text = Text(protocol::SignEntry(raw.header, epoch, signer.device().signing_key()));
      }
    };
  };
  const struct {
    const char* name;
    Realm& signer;
    Outcome of_reader;
    Outcome of_newcomer;
  } rows[] = {{"signed by the server's friend", Of("cw02"), Code::kSig, Code::kSig},
              // The author may lock out whom the author lists, and is convicted by it.
              {"signed by the author", Of("cw01"), Code::kFork, Code::kFork}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    liar().RewriteReply(rewrite(row.signer));
    liar().ForgetCalls();
    const auto fresh = FreshDevice("kc1");
    const auto newcomer = FreshDevice("kc2");
    EXPECT_OUTCOME(ReadAll(*fresh, vault), row.of_reader);
    EXPECT_OUTCOME(ReadAll(*newcomer, vault), row.of_newcomer);
    EXPECT_FALSE(Judged(*newcomer).empty());
    EXPECT_EQ(Uploads(), 0u);
    liar().BeHonest();
  }
  liar().RewriteReply(rewrite(Of("cw02")));
  EXPECT_OUTCOME(ReadAll(*known, vault), Code::kSig);
  liar().BeHonest();
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  EXPECT_OUTCOME(ReadAll(*FreshDevice("kc2"), vault), kWell);
}

TEST_F(Attack, Row27_TheNextWriterRekeysThoughNobodySaysSo) {
  const auto vault = MakeCase();
  const auto writer = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*writer, vault), kWell);
  Require(Of("sv1").Sync());
  Require(Of("sv1").RotatePuk());
  // REKEY_REQUIRED never arrives, and is not waited for.
  bool told = false;
  liar().RewriteReply([&](const wire::AppendEntriesRequest&, wire::AppendEntriesResponse& reply) {
    for (auto& result : *reply.mutable_results()) {
      told = told || result.code() == base::Name(Code::kRekeyRequired);
    }
  });
  EXPECT_OUTCOME(WriteNote(*writer, vault), kWell);
  EXPECT_FALSE(told);
  const Truth truth(Of("cw01"), vault);
  EXPECT_EQ(truth.state().epoch().number, 2u);
  const auto& roster = Of("cw01").roster();
  EXPECT_EQ(truth.list().at(Of("sv1").member()).puk_gen,
            roster.PukAt(Of("sv1").member(), roster.head_seq())->gen);
}

TEST_F(Attack, Row27_AReaderRefusesARevisionUnderAnEpochThatIsNotFresh) {
  const auto vault = MakeCase();
  ExpectVaultLies(vault, {{"by a writer who works with the server",
                           [&]() -> Rewrite {
                             Require(Of("sv1").Sync());
                             Require(Of("sv1").RotatePuk());
                             Truth truth(Of("cw01"), vault);
                             const auto sealed =
                                 Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(),
                                      truth.key());
                             return Append(NextEntry(Of("cw01"), truth.state(), sealed.rev));
                           },
                           Code::kEntryInvalid, Code::kEntryInvalid}});
}

TEST_F(Attack, Row27_AHiddenRekeyIsNoticedWhenTheServerIsHonestAgain) {
  const auto vault = MakeCase();
  const auto writer = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*writer, vault), kWell);
  const auto known = writer->roster().size();
  Require(Of("sv1").Sync());
  Require(Of("sv1").RotatePuk());
  // The writer sees neither the new roster nor that the service took nothing.
  liar().RewriteReply(
      [&](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
        const auto shown = static_cast<int>(known - request.from_seq());
        if (reply.statements_size() > shown) {
          reply.mutable_statements()->DeleteSubrange(shown, reply.statements_size() - shown);
        }
      });
  std::string hidden;
  liar().RewriteReply([&](const wire::AppendEntriesRequest&, wire::AppendEntriesResponse& reply) {
    hidden = reply.results(0).code();
    reply.mutable_results(0)->clear_code();
  });
  EXPECT_OUTCOME(WriteNote(*writer, vault), kWell);
  EXPECT_EQ(hidden, base::Name(Code::kRekeyRequired));
  liar().BeHonest();
  liar().ForgetCalls();
  EXPECT_OUTCOME(ReadAll(*writer, vault), Code::kRollback);
  EXPECT_OUTCOME(WriteNote(*writer, vault), Code::kFork);
  EXPECT_EQ(Uploads(), 0u);
  EXPECT_OUTCOME(ReadAll(*FreshDevice("kc1"), vault), kWell);
}

TEST_F(Attack, Row47_AnEntryUnderAHiddenRosterIsNotJudged) {
  const auto vault = MakeCase();
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  const auto hidden = known->roster().size();
  Require(Of("founder").Sync());
  auto policy = Of("founder").roster().policy();
  ++policy.gen;
  Must(Of("founder").Author(protocol::PolicySet{policy}));
  EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
  liar().RewriteReply(
      [&](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
        const auto shown = static_cast<int>(hidden - request.from_seq());
        if (reply.statements_size() > shown) {
          reply.mutable_statements()->DeleteSubrange(shown, reply.statements_size() - shown);
        }
      });
  liar().ForgetCalls();
  const auto fresh = FreshDevice("kc1");
  for (Realm* device : {known.get(), fresh.get()}) {
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kStaleRoster);
    EXPECT_OUTCOME(WriteNote(*device, vault), Code::kStaleRoster);
  }
  EXPECT_EQ(Uploads(), 0u);
  liar().BeHonest();
  for (Realm* device : {known.get(), fresh.get()}) {
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
    EXPECT_OUTCOME(WriteNote(*device, vault), kWell);
  }
}

TEST_F(Attack, Row49_EveryTryIsSealedAnew) {
  const auto vault = MakeCase();
  // Somebody else is always a little faster.
  int conflicts = 4;
  bool by_colleague = false;
  liar().RewriteRequest([&](wire::AppendEntriesRequest&) {
    if (by_colleague || conflicts-- <= 0) return;
    by_colleague = true;
    EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
    by_colleague = false;
  });
  liar().ForgetCalls();
  EXPECT_OUTCOME(WriteNote(*FreshDevice("kc1"), vault), kWell);
  std::set<std::string> salts;
  std::set<std::string> ciphertexts;
  std::size_t sealed = 0;
  for (const auto& call : liar().calls()) {
    if (call.method != "AppendEntries") continue;
    wire::AppendEntriesRequest request;
    ASSERT_TRUE(request.ParseFromString(call.request));
    for (const auto& upload : request.vaults()) {
      for (const auto& entry : upload.entries()) {
        salts.insert(entry.salt());
        ciphertexts.insert(entry.ciphertext());
        ++sealed;
      }
    }
  }
  EXPECT_EQ(sealed, 9u);  // five tries, and four notes of the colleague
  EXPECT_EQ(salts.size(), sealed);
  EXPECT_EQ(ciphertexts.size(), sealed);
}

}  // namespace
}  // namespace godwit::client
