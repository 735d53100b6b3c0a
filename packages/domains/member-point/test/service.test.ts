/** The member-point service behind the fence, and its event handler behind the inbox, on every storage. */
import { accrueForPayment, createMemberPointService } from "@backstep/member-point";
import { memberPointContract } from "@backstep/member-point/contract";
import { type CloudEvent, createInbox } from "@backstep/participant";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, RETENTION_MS, type Rig, STORAGES } from "../../test/rig.ts";
import { post } from "../src/book.ts";
import { BALANCE_MINOR_MAX } from "../src/contract.ts";
import { lotsOf } from "../src/lots.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const won = (amountMinor: number) => ({ amountMinor, currency: "KRW" });
const ledger = { memberId: "ann", currency: "KRW" };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof memberPointContract>;
  beforeEach(async () => {
    rig = await openRig(memberPointContract, createMemberPointService(), storage);
  });
  afterEach(() => rig.close());

  const find = async () => (await rig.ask("findBalance", ledger))._unsafeUnwrap();
  const balance = async () => (await find()).balance.amountMinor;
  const list = async (after?: string) => (await rig.ask("listEntries", { ...ledger, after }))._unsafeUnwrap().entries;
  const accrue = (amountMinor: number) => rig.do("accruePoints", { memberId: "ann", amount: won(amountMinor) });

  it("keeps the fence's laws for deducting and restoring points", async () => {
    await accrue(500);
    const spend = { memberId: "ann", amount: won(300) };
    await expectFenceLaws({
      act: (key) => rig.act("deductPoints", spend, key),
      refused: (key) => rig.act("deductPoints", { memberId: "ann", amount: won(501) }, key),
      undo: (undoes, told) => rig.undo("restorePoints", spend, undoes, told),
      look: find,
    });
    expect((await list()).map(({ _tag }) => _tag)).toEqual(["Accrued", "Deducted", "Restored"]);
  });

  it("opens an account with its first entry, and tells of an unopened one that it is empty", async () => {
    expect(await find()).toEqual({ balance: won(0), period: 1 });
    const rejection = { _tag: "InsufficientPoints", required: won(1), available: won(0) };
    expect(await rig.act("deductPoints", { memberId: "ann", amount: won(1) })).toMatchObject({ rejection });
    await rig.do("deductPoints", { memberId: "ann", amount: won(0) });
    await accrue(100);
    expect(await find()).toEqual({ balance: won(100), period: 1 });
  });

  it("says what was required and what is available, and records the refusal", async () => {
    await accrue(100);
    const spend = { memberId: "ann", amount: won(101) };
    const rejection = { _tag: "InsufficientPoints", required: won(101), available: won(100) };
    expect(await rig.act("deductPoints", spend, "saga-1/1")).toEqual({ _tag: "Rejected", rejection, replayed: false });
    await accrue(100);
    expect(await rig.act("deductPoints", spend, "saga-1/1")).toEqual({ _tag: "Rejected", rejection, replayed: true });
    expect(await balance()).toBe(200);
  });

  it("keeps currencies and members apart", async () => {
    await accrue(100);
    const euros = { amountMinor: 1, currency: "EUR" };
    expect(await rig.act("deductPoints", { memberId: "ann", amount: euros })).toMatchObject({ _tag: "Rejected" });
    expect(await rig.act("deductPoints", { memberId: "bob", amount: won(1) })).toMatchObject({ _tag: "Rejected" });
    expect(await balance()).toBe(100);
  });

  it("never mixes currencies: each has a ledger, periods and expiries of its own", async () => {
    const euroLedger = { memberId: "ann", currency: "EUR" };
    const euros = (amountMinor: number) => ({ amountMinor, currency: "EUR" });
    await accrue(100);
    const { accrualId } = await rig.do("accruePoints", { memberId: "ann", amount: euros(7) });
    const rejection = { _tag: "InsufficientPoints", required: euros(8), available: euros(7) };
    expect(await rig.act("deductPoints", { memberId: "ann", amount: euros(8) })).toMatchObject({ rejection });
    await rig.do("settlePeriod", { ...ledger, period: 1 });
    await rig.do("expirePoints", { ...ledger, accruedBefore: "2026-03-02" });
    expect(await find()).toEqual({ balance: won(0), period: 2 });
    expect((await rig.ask("findBalance", euroLedger))._unsafeUnwrap()).toEqual({ balance: euros(7), period: 1 });
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId })).toEqual({ recovered: euros(7), outstanding: euros(0) });
  });

  it("restores a deduction though the balance is at its largest, and lets nothing else in", async () => {
    const almost = { _tag: "Accrued", reference: "operation/0", at: 0, lots: lotsOf("2026-03-01", BALANCE_MINOR_MAX) } as const;
    await rig.database.transaction((transaction) => post(transaction, { ...ledger, period: 1, entryCount: 0 }, almost));
    const balanceTooLarge = { rejection: { _tag: "BalanceTooLarge", balanceMax: won(BALANCE_MINOR_MAX) } };
    expect(await rig.act("accruePoints", { memberId: "ann", amount: won(1) })).toMatchObject(balanceTooLarge);
    await rig.do("deductPoints", { memberId: "ann", amount: won(5) }, "saga-1/1");
    await accrue(5);
    await rig.undo("restorePoints", { memberId: "ann", amount: won(5) }, "saga-1/1");
    expect(await balance()).toBe(BALANCE_MINOR_MAX + 5);
    expect(await rig.act("accruePoints", { memberId: "ann", amount: won(1) })).toMatchObject(balanceTooLarge);
    expect(await rig.do("settlePeriod", { ...ledger, period: 1 })).toMatchObject({ closingMinor: BALANCE_MINOR_MAX + 5 });
    await rig.do("deductPoints", { memberId: "ann", amount: won(6) });
    expect(await balance()).toBe(BALANCE_MINOR_MAX - 1);
  });

  it("spends no point twice when many spend at once", async () => {
    await accrue(10);
    const spenders = Array.from({ length: 15 }, (_, index) =>
      rig.act("deductPoints", { memberId: "ann", amount: won(1) }, `saga-${index}/1`),
    );
    const answers = await Promise.all(spenders);
    expect(answers.filter(({ _tag }) => _tag === "Succeeded")).toHaveLength(10);
    expect(await balance()).toBe(0);
  });

  it("restores what was deducted, to the days it was accrued on, even if the undo is told another amount or member", async () => {
    await accrue(100);
    rig.clock.now += DAY_MS;
    await accrue(50);
    await rig.do("deductPoints", { memberId: "ann", amount: won(120) }, "saga-1/1");
    await rig.undo("restorePoints", { memberId: "bob", amount: won(1) }, "saga-1/1");
    const [, , deducted, restored] = await list();
    expect(deducted?.lots).toEqual([
      { day: "2026-03-01", amountMinor: -100 },
      { day: "2026-03-02", amountMinor: -20 },
    ]);
    expect(restored?.lots).toEqual([
      { day: "2026-03-01", amountMinor: 100 },
      { day: "2026-03-02", amountMinor: 20 },
    ]);
    expect(await balance()).toBe(150);
  });

  it("claws an accrual back as far as the balance goes, and the rest later", async () => {
    const { accrualId } = await accrue(100);
    await rig.do("deductPoints", { memberId: "ann", amount: won(70) });
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId })).toEqual({ recovered: won(30), outstanding: won(70) });
    expect(await balance()).toBe(0);
    await accrue(200);
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId })).toEqual({ recovered: won(70), outstanding: won(0) });
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId })).toEqual({ recovered: won(0), outstanding: won(0) });
    expect(await balance()).toBe(130);
    const notFound = { _tag: "AccrualNotFound", accrualId };
    expect(await rig.act("recoverPoints", { memberId: "bob", accrualId })).toMatchObject({ rejection: notFound });
  });

  it("makes no second entry in the name of a first one, though the fence has forgotten the key", async () => {
    await rig.do("accruePoints", { memberId: "ann", amount: won(100) }, "again");
    await rig.do("deductPoints", { memberId: "ann", amount: won(10) }, "saga-1/1");
    rig.clock.now += RETENTION_MS + 1;
    await rig.fence.sweep();
    await expect(rig.act("accruePoints", { memberId: "bob", amount: won(50) }, "again")).rejects.toThrow("operation/again");
    await expect(rig.act("deductPoints", { memberId: "ann", amount: won(10) }, "saga-1/1")).rejects.toThrow("saga-1/1");
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId: "operation/again" })).toEqual({
      recovered: won(90),
      outstanding: won(10),
    });
    expect((await list()).map(({ _tag }) => _tag)).toEqual(["Accrued", "Deducted", "Recovered"]);
  });

  it("changes no entry that was made, even if the account's row should have lost count", async () => {
    await accrue(100);
    const entry = { _tag: "Accrued", reference: "operation/other", at: 0, lots: [] } as const;
    const write = rig.database.transaction((transaction) => post(transaction, { ...ledger, period: 1, entryCount: 0 }, entry));
    await expect(write).rejects.toThrow("entry 000000000001 of ann/KRW was made already");
    expect(await balance()).toBe(100);
  });

  it("reads a ledger whole, however many entries it has", async () => {
    const entries = 2_005;
    await rig.database.transaction(async (transaction) => {
      for (let index = 0; index < entries; index += 1) {
        const account = { ...ledger, period: 1, entryCount: index };
        await post(transaction, account, { _tag: "Accrued", reference: `operation/${index}`, at: 0, lots: lotsOf("2026-03-01", 1) });
      }
    });
    expect(await balance()).toBe(entries);
    await rig.do("deductPoints", { memberId: "ann", amount: won(entries) });
    expect(await balance()).toBe(0);
  });

  it("expires what is left of old points, and nothing twice", async () => {
    await accrue(100);
    rig.clock.now += DAY_MS;
    await accrue(50);
    await rig.do("deductPoints", { memberId: "ann", amount: won(60) });
    const expiry = { ...ledger, accruedBefore: "2026-03-02" };
    expect(await rig.do("expirePoints", expiry)).toEqual({ expired: won(40) });
    expect(await rig.do("expirePoints", expiry)).toEqual({ expired: won(0) });
    expect(await balance()).toBe(50);
  });

  it("settles a period, reads on from its opening entry, and still restores and recovers across the border", async () => {
    const { accrualId } = await accrue(100);
    await rig.do("deductPoints", { memberId: "ann", amount: won(60) }, "saga-1/1");
    const settled = await rig.do("settlePeriod", { ...ledger, period: 1 });
    expect(settled).toEqual({
      period: 1,
      currency: "KRW",
      openingMinor: 0,
      accruedMinor: 100,
      deductedMinor: 60,
      restoredMinor: 0,
      recoveredMinor: 0,
      expiredMinor: 0,
      closingMinor: 40,
    });
    expect(await find()).toEqual({ balance: won(40), period: 2 });
    const again = await rig.act("settlePeriod", { ...ledger, period: 1 });
    expect(again).toMatchObject({ rejection: { _tag: "PeriodNotOpen", period: 1, open: 2 } });
    await rig.undo("restorePoints", { memberId: "ann", amount: won(60) }, "saga-1/1");
    expect(await balance()).toBe(100);
    expect(await rig.do("recoverPoints", { memberId: "ann", accrualId })).toEqual({ recovered: won(100), outstanding: won(0) });
    expect((await list()).map(({ _tag, period }) => `${_tag} ${period}`)).toEqual([
      "Accrued 1",
      "Deducted 1",
      "Opened 2",
      "Restored 2",
      "Recovered 2",
    ]);
  });

  it("lists entries in the order they were made, a page at a time", async () => {
    for (let index = 0; index < 103; index += 1) await accrue(index);
    const first = await list();
    const rest = await list(first.at(-1)?.entryId);
    expect([first.length, rest.length]).toEqual([100, 3]);
    const amounts = [...first, ...rest].map(({ lots }) => lots[0]?.amountMinor ?? 0);
    expect(amounts).toEqual(Array.from({ length: 103 }, (_, index) => index));
    expect(await balance()).toBe((102 * 103) / 2);
  });

  describe("a completed payment", () => {
    const data = {
      paymentId: "payment-1",
      orderId: "order-1",
      memberId: "ann",
      amount: won(12_345),
      paidAt: Date.parse("2026-02-28T23:00:00Z"),
    };
    const event: CloudEvent<typeof data> = {
      specversion: "1.0",
      id: "1",
      source: "/payments",
      type: "com.backstep.payment.completed.v1",
      data,
    };
    const inbox = () => createInbox({ database: rig.database, retentionMs: DAY_MS });
    const deliver = (delivered: CloudEvent<unknown>) =>
      inbox().consume(delivered, (transaction, { data: told }) => accrueForPayment(transaction, told, rig.clock.now));

    it("accrues a hundredth of it, rounded down, on the day of the payment, once however often it is delivered", async () => {
      expect(await deliver(event)).toEqual({ _tag: "Consumed" });
      expect(await deliver(event)).toEqual({ _tag: "Repeated" });
      expect(await balance()).toBe(123);
      const [entry] = await list();
      expect(entry).toMatchObject({ _tag: "Accrued", reference: "payment/payment-1", lots: [{ day: "2026-02-28", amountMinor: 123 }] });
    });

    it("accrues once even when the inbox has forgotten the event, or two events tell of one payment", async () => {
      await deliver(event);
      rig.clock.now += 2 * DAY_MS;
      await inbox().sweep();
      expect(await deliver(event)).toEqual({ _tag: "Consumed" });
      expect(await deliver({ ...event, id: "2" })).toEqual({ _tag: "Consumed" });
      expect(await balance()).toBe(123);
    });

    it("can be clawed back, for good", async () => {
      await deliver(event);
      const recovered = await rig.do("recoverPoints", { memberId: "ann", accrualId: "payment/payment-1" });
      expect(recovered).toEqual({ recovered: won(123), outstanding: won(0) });
      rig.clock.now += 2 * DAY_MS;
      await inbox().sweep();
      expect(await deliver(event)).toEqual({ _tag: "Consumed" });
      expect(await balance(), "what was clawed back does not come back").toBe(0);
    });

    it("accrues nothing for less than a hundred", async () => {
      await deliver({ ...event, data: { ...data, amount: won(99) } });
      expect(await list()).toEqual([]);
    });

    it("is not remembered when its data does not fit, so that a mended delivery is the first", async () => {
      await expect(deliver({ ...event, data: { ...data, amount: won(-1) } })).rejects.toThrow();
      expect(await list()).toEqual([]);
      expect(await deliver(event)).toEqual({ _tag: "Consumed" });
      expect(await balance()).toBe(123);
    });

    it("is not remembered when the balance has no room for its points", async () => {
      const full = { _tag: "Accrued", reference: "operation/0", at: 0, lots: lotsOf("2026-03-01", BALANCE_MINOR_MAX) } as const;
      await rig.database.transaction((transaction) => post(transaction, { ...ledger, period: 1, entryCount: 0 }, full));
      await expect(deliver(event)).rejects.toThrow("too large");
      await rig.do("deductPoints", { memberId: "ann", amount: won(200) });
      expect(await deliver(event)).toEqual({ _tag: "Consumed" });
      expect(await balance()).toBe(BALANCE_MINOR_MAX - 200 + 123);
    });

    it("may tell more than this domain asks for", async () => {
      await deliver({ ...event, data: { ...data, couponId: "coupon-1" } });
      expect(await balance()).toBe(123);
    });
  });
});
