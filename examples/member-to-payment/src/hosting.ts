/** One process's service by its name. The five that only take part are alike; the payment service is `payment-hosting.ts`, the gateway stands in for somebody else's. */
import { couponContract, createCouponService } from "@backstep/coupon";
import type { EventHandlers } from "@backstep/http-adapter/server";
import { createMemberService, memberContract } from "@backstep/member";
import { accrueForPayment, createMemberPointService, memberPointContract } from "@backstep/member-point";
import { createOrderService, orderContract } from "@backstep/order";
import { paymentContract } from "@backstep/payment/contract";
import { createProductService, productContract } from "@backstep/product";
import { match } from "ts-pattern";
import { hostGateway } from "./gateway-hosting.ts";
import { type HostedService, type HostingOptions, hostParticipant } from "./participant-hosting.ts";
import { hostPayment } from "./payment-hosting.ts";
import type { ProcessName } from "./settings.ts";

export async function hostService(name: ProcessName, options: HostingOptions): Promise<HostedService> {
  return match<ProcessName, HostedService | Promise<HostedService>>(name)
    .with("member", (own) => hostParticipant(own, memberContract, createMemberService(), options))
    .with("member-point", (own) => hostParticipant(own, memberPointContract, createMemberPointService(), options, pointEvents))
    .with("product", (own) => hostParticipant(own, productContract, createProductService(), options))
    .with("coupon", (own) => hostParticipant(own, couponContract, createCouponService(), options))
    .with("order", (own) => hostParticipant(own, orderContract, createOrderService(), options))
    .with("payment", () => hostPayment(options))
    .with("gateway", () => hostGateway(options))
    .exhaustive();
}

/** Points are accrued on what was paid, once per payment, however often the event is delivered. */
const pointEvents: EventHandlers = [{ event: paymentContract.events.paymentCompleted, handle: accrueForPayment }];
