/** One service by its name. The five that only take part are alike; the payment service is `payment-hosting.ts`. */
import { couponContract, createCouponService } from "@backstep/coupon";
import type { EventHandlers } from "@backstep/http-adapter/server";
import { createMemberService, memberContract } from "@backstep/member";
import { accrueForPayment, createMemberPointService, memberPointContract } from "@backstep/member-point";
import { createOrderService, orderContract } from "@backstep/order";
import { paymentContract } from "@backstep/payment/contract";
import { createProductService, productContract } from "@backstep/product";
import { match } from "ts-pattern";
import { type HostedService, type HostingOptions, hostParticipant } from "./participant-hosting.ts";
import { hostPayment } from "./payment-hosting.ts";
import type { ServiceName } from "./settings.ts";

export function hostService(name: ServiceName, options: HostingOptions): HostedService {
  return match(name)
    .with("member", () => hostParticipant(name, memberContract, createMemberService(), options))
    .with("member-point", () => hostParticipant(name, memberPointContract, createMemberPointService(), options, pointEvents))
    .with("product", () => hostParticipant(name, productContract, createProductService(), options))
    .with("coupon", () => hostParticipant(name, couponContract, createCouponService(), options))
    .with("order", () => hostParticipant(name, orderContract, createOrderService(), options))
    .with("payment", () => hostPayment(options))
    .exhaustive();
}

/** Points are accrued on what was paid, once per payment, however often the event is delivered. */
const pointEvents: EventHandlers = [{ event: paymentContract.events.paymentCompleted, handle: accrueForPayment }];
