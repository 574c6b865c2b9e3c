export {
  developmentTrustDomain,
  makeDevelopmentCertificates,
} from '../credentials/development-certificates.ts';
export { audienceOf, developmentIssuer, openDevelopmentKeys } from '../credentials/development-keys.ts';
