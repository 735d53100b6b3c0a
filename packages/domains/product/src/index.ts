/** The door: the product service, for whoever hosts it. Clients need only `@backstep/product/contract`. */
export { type Deduction, type Product, productContract } from "./contract.ts";
export { createProductService, type ProductService } from "./service.ts";
